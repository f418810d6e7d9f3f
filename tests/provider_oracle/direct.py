"""Drives a provider plugin with the requests of the engine, in the order in which the engine makes them.

The order is that of pulumi/pkg 3.259, resource/deploy: `step_generator.go` (what is checked and diffed, and
which steps follow), `step.go` (what a step asks and what it records).
"""

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2

from sandbox.providers.plugin import plain
from tests.provider_oracle.build import running

Values = dict[str, Any]
SEED = b"\0" * 32
SECRET = "4dabf18193072939515e22adb298388d"  # the engine's mark of a secret in a struct
MADE_UP = re.compile(r"thing-[0-9a-f]{7}")


@dataclass
class State:
    """A resource as the engine records it."""

    id: str
    inputs: Values
    outputs: Values
    failed: bool = False  # it has initErrors


@dataclass
class Answer:
    """What a call was answered with: a result, or an error and what it leaves."""

    error: bool = False
    left: tuple[str, Values] | None = None
    value: Any = None


class Plugin:
    """A provider plugin in its own process, with a cloud of its own; started again where it died."""

    def __init__(self, program: list[str], home: Path, variable: str) -> None:
        self.program, self.home, self.env = program, home, {variable: str(home)}
        self._running = ExitStack()
        home.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        self.stop()
        address = self._running.enter_context(running(self.program, self.env))
        self._channel = self._running.enter_context(grpc.insecure_channel(address))
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        args = {"region": "eu-west-1"} if "SANDBOX_DIR" in self.env else {}
        self._stub.Configure(pb.ConfigureRequest(args=_struct(args)), wait_for_ready=True)

    def stop(self) -> None:
        self._running.close()

    def fault(self, fault: str | None) -> None:
        """What goes wrong next, once; None for nothing."""
        file = self.home / "fault"
        file.unlink(missing_ok=True)
        if fault:
            file.write_text(fault, encoding="utf-8")

    def call(self, method: str, request: Any) -> Answer:
        try:
            return Answer(value=getattr(self._stub, method)(request))
        except grpc.RpcError as wrong:
            if wrong.code() == grpc.StatusCode.UNAVAILABLE:  # it died
                self.start()
            elif wrong.code() == grpc.StatusCode.INTERNAL:
                raise AssertionError(wrong.details()) from wrong
            return Answer(error=True, left=_left(wrong))


def _left(wrong: Any) -> tuple[str, Values] | None:
    for key, value in wrong.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            for detail in status.details:
                found = pb.ErrorResourceInitFailed()
                if detail.Unpack(found):
                    return found.id, plain(found.properties)
    return None


def _struct(values: Values) -> Any:
    from google.protobuf import struct_pb2  # noqa: PLC0415

    made = struct_pb2.Struct()
    made.update(values)
    return made


@dataclass
class Engine:
    """The engine's part for one resource of a stack, and all that it did."""

    plugin: Plugin
    type: str
    kind: str
    state: State | None = None
    doomed: list[State] = field(default_factory=list)  # replaced, not deleted yet
    log: list[Any] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::small::{self.type}::thing"

    # -- commands

    def up(self, program: Values, *, preview: bool = False) -> bool:
        """`pulumi up` or `pulumi preview`; whether all went well."""
        if not preview and not self._delete_doomed():
            return False
        old = self.state
        inputs = self._check(old.inputs if old else None, program)
        if inputs is None:
            return self._note("refused")
        if old is None:
            return self._create(inputs, preview)
        diff = self._diff(old, inputs)
        differs = diff.changes == pb.DiffResponse.DIFF_SOME
        if differs and diff.replaces:
            return self._replace(program, delete_first=diff.deleteBeforeReplace, preview=preview)
        if differs or old.failed:
            return self._update(inputs, preview)
        if not preview:
            self.state = State(old.id, inputs, old.outputs)
        return self._note("same")

    def refresh(self) -> bool:
        if self.state is None:
            return self._note("nothing")
        old = self.state
        request = pb.ReadRequest(
            id=old.id, urn=self.urn, properties=_struct(old.outputs), inputs=_struct(old.inputs)
        )
        answer = self.plugin.call("Read", request)
        if answer.error:
            return self._note("read failed")
        found = answer.value
        inputs = plain(found.inputs) if found.HasField("inputs") else old.inputs
        self.state = State(found.id, inputs, plain(found.properties)) if found.id else None
        return self._note("read")

    def forget_and_import(self) -> bool:
        """`pulumi state delete`, then `pulumi import` of the same id."""
        if self.state is None:
            return self._note("nothing")
        known, self.state = self.state.id, None
        answer = self.plugin.call("Read", pb.ReadRequest(id=known, urn=self.urn))
        if answer.error or not answer.value.id:
            return self._note("import failed")
        found = answer.value
        self.state = State(found.id, plain(found.inputs), plain(found.properties))
        return self._note("import")

    def destroy(self) -> bool:
        if not self._delete_doomed():
            return False
        if self.state is None:
            return self._note("nothing")
        if not self._delete(self.state):
            return False
        self.state = None
        return True

    # -- steps

    def _check(self, olds: Values | None, program: Values) -> Values | None:
        request = pb.CheckRequest(
            urn=self.urn, news=_struct(program), randomSeed=SEED, olds=None if olds is None else _struct(olds)
        )
        answer = self.plugin.call("Check", request)
        if answer.error or answer.value.failures:
            return None
        return _opened(plain(answer.value.inputs))

    def _diff(self, old: State, inputs: Values) -> Any:
        request = pb.DiffRequest(
            id=old.id,
            urn=self.urn,
            olds=_struct(old.outputs),
            old_inputs=_struct(old.inputs),
            news=_struct(inputs),
        )
        answer = self.plugin.call("Diff", request)
        assert not answer.error
        diff = answer.value
        shown = sorted(diff.diffs) if diff.changes == pb.DiffResponse.DIFF_SOME else []
        first = diff.deleteBeforeReplace and bool(diff.replaces)
        self._note(["diff", int(diff.changes), shown, sorted(diff.replaces), first])
        return diff

    def _create(self, inputs: Values, preview: bool) -> bool:
        request = pb.CreateRequest(urn=self.urn, properties=_struct(inputs), preview=preview)
        answer = self.plugin.call("Create", request)
        if answer.error:
            if answer.left:
                self.state = State(answer.left[0], inputs, answer.left[1], failed=True)
            self._note("create failed")
            return False
        if preview:
            return self._note(["would create", self._seen(plain(answer.value.properties))])
        self.state = State(answer.value.id, inputs, plain(answer.value.properties))
        return self._note("create")

    def _update(self, inputs: Values, preview: bool) -> bool:
        old = self.state
        assert old
        request = pb.UpdateRequest(
            id=old.id,
            urn=self.urn,
            olds=_struct(old.outputs),
            old_inputs=_struct(old.inputs),
            news=_struct(inputs),
            preview=preview,
        )
        answer = self.plugin.call("Update", request)
        if answer.error:
            if answer.left:  # the engine keeps the inputs that were (pulumi #2011)
                self.state = State(old.id, old.inputs, answer.left[1], failed=True)
            self._note("update failed")
            return False
        if preview:
            return self._note(["would update", self._seen(plain(answer.value.properties))])
        self.state = State(old.id, inputs, plain(answer.value.properties))
        return self._note("update")

    def _replace(self, program: Values, *, delete_first: bool, preview: bool) -> bool:
        old = self.state
        assert old
        inputs = self._check(None, program)
        assert inputs is not None
        if preview:
            return self._note("would replace")
        if delete_first:
            if not self._delete(old):
                return False
            self.state = None
            return self._create(inputs, False)
        if not self._create(inputs, False):
            if self.state is not old:  # made, though it failed
                self.doomed.append(old)
            return False
        if not self._delete(old):
            self.doomed.append(old)
            return False
        return True

    def _delete_doomed(self) -> bool:
        """What a run before replaced and did not delete goes first."""
        for old in list(self.doomed):
            if not self._delete(old):
                return False
            self.doomed.remove(old)
        return True

    def _delete(self, old: State) -> bool:
        request = pb.DeleteRequest(
            id=old.id, urn=self.urn, properties=_struct(old.outputs), old_inputs=_struct(old.inputs)
        )
        answer = self.plugin.call("Delete", request)
        self._note("delete failed" if answer.error else "delete")
        return not answer.error

    # -- what is compared

    def _note(self, event: Any) -> bool:
        self.log.append(event)
        return True

    def seen(self) -> Any:
        """State and steps so far, in a form in which equal means equal to whoever uses the provider."""
        state = self.state and {
            "id": self._nth(self.state.id),
            "inputs": self._named(normal(self.state.inputs)),
            "outputs": self._seen(self.state.outputs),
            "failed": self.state.failed,
        }
        return {"state": state, "doomed": [self._nth(d.id) for d in self.doomed], "log": list(self.log)}

    def _nth(self, resource_id: str) -> int:
        """Ids are random: the number of their first appearance stands for each."""
        if resource_id not in self.ids:
            self.ids.append(resource_id)
        return self.ids.index(resource_id)

    def _seen(self, outputs: Values) -> Any:
        shown = {k: v for k, v in outputs.items() if k != "id"}
        return self._named(normal(without_zeros(shown) if self.kind == "sdk" else shown))

    def _named(self, values: Values) -> Values:
        """Names that the provider makes up are random too."""
        return {
            k: f"thing-{self._nth(v)}" if isinstance(v, str) and MADE_UP.fullmatch(v) else v
            for k, v in values.items()
        }


def _opened(inputs: Values) -> Values:
    """Without the marks of secrets, which the engine keeps for itself."""
    return {k: v["value"] if isinstance(v, dict) and SECRET in v else v for k, v in inputs.items()}


def normal(value: Any) -> Any:
    """Without the provider's own notes (`__…`) and what is null; what is a set in the order of its texts."""
    if isinstance(value, dict):
        return {
            k: _sorted(normal(v)) if k in ("names", "flows", "members") else normal(v)
            for k, v in sorted(value.items())
            if not k.startswith("__") and v is not None
        }
    return [normal(v) for v in value] if isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    return sorted(value, key=json.dumps) if isinstance(value, list) else value


def without_zeros(value: Any) -> Any:
    """terraform-plugin-sdk does not tell what is not given from what is zero or empty."""
    if isinstance(value, dict):
        kept = {k: without_zeros(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v not in (None, "", 0, False, [], {})}
    return [without_zeros(v) for v in value] if isinstance(value, list) else value


__all__ = ("Answer", "Engine", "Plugin", "State")
