"""A provider plugin: the engine's protocol on one side, plain Python values on the other.

Straight on the generated gRPC classes: `pulumi.provider.experimental` wraps every value twice, which at
1,700 resources is most of the time, and hides the old inputs that a diff needs. Secrets never reach a
plugin (`acceptSecrets` is off): the engine opens them on the way in and marks the outputs of the same
name on the way out; what is secret without being an input the SDK marks itself.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.protobuf import any_pb2, empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.cloud.store import default_path
from sandbox.faults import FaultPlanError, Injector, Step, read_plan
from sandbox.faults.injector import Injected, LateFailure

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's word for a value not known yet
Values = Mapping[str, Any]
Left = Callable[[Any], tuple[str, Values]] | None  # what was done → id and state
Kinds: Final = provider_pb2.PropertyDiff.Kind


class Refused(Exception):  # noqa: N818 - the provider's answer, put to the user as it is
    """The provider does not do what it was asked; the text is the answer."""


@dataclass(frozen=True)
class Checked:
    inputs: Values
    problems: list[tuple[str, str]] = field(default_factory=list)  # input, what is wrong


@dataclass(frozen=True)
class Diffed:
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False


class Provider:
    """What a provider of the sandbox answers, in plain values. Raise `Refused` to say no."""

    version = "0.0.0"

    def configure(self, values: Values) -> None: ...

    def check(self, token: str, name: str, news: Values, olds: Values, seed: bytes) -> Checked:
        raise NotImplementedError

    def diff(self, token: str, old_inputs: Values, state: Values, news: Values, ignored: list[str]) -> Diffed:
        raise NotImplementedError

    def create(self, token: str, urn: str, inputs: Values, preview: bool) -> tuple[str, Values]:
        raise NotImplementedError

    def read(
        self, token: str, resource_id: str, inputs: Values, state: Values, *, known: bool
    ) -> tuple[Values, Values] | None:
        """Inputs and outputs as they are now, or None where the resource is gone. One that is not `known` is
        imported: its id is all that there is.
        """
        raise NotImplementedError

    def asks_on_read(self, token: str) -> bool:
        """Whether a read asks the cloud, which may then refuse."""
        return True

    def resolve(self, token: str, given: str) -> str:
        """The id of what a person imports: some types are named otherwise in an import than in the state."""
        return given

    def update(self, token: str, resource_id: str, urn: str, state: Values, inputs: Values) -> Values:
        raise NotImplementedError

    def planned_create(self, token: str, inputs: Values) -> Values:
        """The state that is left where a resource was made and something after that failed."""
        return inputs

    def planned_update(
        self, token: str, old_inputs: Values, state: Values, inputs: Values, preview: bool
    ) -> Values:
        """The state that an update is to lead to; in a preview, with what is not known yet."""
        return {**state, **inputs}

    def update_again(self, token: str, resource_id: str, urn: str, state: Values, inputs: Values) -> Values:
        """An update that the engine asks for because the one before failed, and in which nothing differs from
        the state."""
        return state

    def delete(self, token: str, resource_id: str) -> None:
        raise NotImplementedError

    def is_sdk(self, token: str) -> bool:
        """Whether terraform-plugin-sdk implements the type: the state then has what an operation that failed
        was to lead to. Otherwise terraform-plugin-framework does, and the state stays as it was."""
        return False

    def invoke(self, token: str, args: Values) -> Values:
        raise Refused(f"the sandbox does not know the invoke {token}")

    def count(self, token: str) -> int:
        """How many resources of a type there are, where the provider has an account to count in."""
        return 0


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The protocol (pulumi/provider.proto), answered by a `Provider`."""

    def __init__(self, provider: Provider, faults: Injector | None = None) -> None:
        self.provider, self.faults = provider, faults

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: Any) -> Any:
        """An engine that was told to use a plugin that runs already (PULUMI_DEBUG_PROVIDERS)."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.provider.version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Another account or Region is another cloud: everything in it would have to be made anew."""
        old, new = plain(request.old_inputs), plain(request.news)
        changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k) and k != "version")
        moved = [k for k in changed if k in ("region", "allowedAccountIds")]
        return provider_pb2.DiffResponse(changes=_changes(changed), replaces=moved, diffs=changed)

    def Configure(self, request: Any, context: Any) -> Any:
        self._answer(context, lambda: self.provider.configure(plain(request.args)))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        token, name = kind(request.urn), request.urn.rsplit("::", 1)[1]
        olds, news = plain(request.olds), plain(request.news)
        done = self._answer(
            context,
            lambda: self.provider.check(token, name, news, olds, request.randomSeed),
            Step("check", token, request.urn),
        )
        failures = [provider_pb2.CheckFailure(property=p, reason=r) for p, r in done.problems]
        return provider_pb2.CheckResponse(inputs=struct(done.inputs), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        old, state, news = plain(request.old_inputs), plain(request.olds), plain(request.news)
        ignored = list(request.ignoreChanges)
        done = self._answer(
            context,
            lambda: self.provider.diff(kind(request.urn), old, state, news, ignored),
            _step("diff", request.urn),
        )
        changed = sorted(done.added | done.removed | done.updated)
        return provider_pb2.DiffResponse(
            changes=_changes(changed),
            diffs=changed,
            replaces=sorted(done.replaces),
            deleteBeforeReplace=done.delete_first,
            hasDetailedDiff=True,
            detailedDiff={k: _property_diff(k, done) for k in changed},
        )

    def Create(self, request: Any, context: Any) -> Any:
        inputs, token = plain(request.properties), kind(request.urn)

        def left(made: Any) -> tuple[str, Values]:
            return made[0], self.provider.planned_create(token, inputs)

        made = self._answer(
            context,
            lambda: self.provider.create(token, request.urn, inputs, request.preview),
            None if request.preview else _step("create", request.urn),
            left=left if self.provider.is_sdk(token) else None,
        )
        return provider_pb2.CreateResponse(id=made[0], properties=struct(made[1]))

    def Read(self, request: Any, context: Any) -> Any:
        inputs, state, token = plain(request.inputs), plain(request.properties), kind(request.urn)

        # The state of a resource may be empty, where its creation failed in the end.
        known = bool(state) or request.HasField("inputs")

        def read() -> Any:
            mine = request.id if known else self.provider.resolve(token, request.id)
            found = self.provider.read(token, mine, inputs, state, known=known)
            return None if found is None else (mine, *found)

        step = _step("read", request.urn) if self.provider.asks_on_read(token) else None
        found = self._answer(context, read, step)
        if found is None:
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(id=found[0], inputs=struct(found[1]), properties=struct(found[2]))

    def Update(self, request: Any, context: Any) -> Any:
        token, where = kind(request.urn), (request.id, request.urn)
        old, state, news = plain(request.old_inputs), plain(request.olds), plain(request.news)
        provider = self.provider
        if request.preview:
            plan = self._answer(context, lambda: provider.planned_update(token, old, state, news, True))
            return provider_pb2.UpdateResponse(properties=struct(plan))
        done = self._answer(context, lambda: provider.diff(token, old, state, news, []))
        again = provider.is_sdk(token) and not (done.added | done.removed | done.updated)
        update = provider.update_again if again else provider.update
        sends = not again or not provider.asks_on_read(token)  # else it only reads
        made = self._answer(
            context,
            lambda: update(token, *where, state, news),
            _step("update" if sends else "read", request.urn),
            left=self._left_by_update(token, request.id, old, state, news),
        )
        return provider_pb2.UpdateResponse(properties=struct(made))

    def _left_by_update(self, token: str, resource_id: str, old: Values, state: Values, news: Values) -> Left:
        if not self.provider.is_sdk(token):
            return None
        return lambda _: (resource_id, self.provider.planned_update(token, old, state, news, False))

    def Delete(self, request: Any, context: Any) -> Any:
        step = _step("delete", request.urn)
        self._answer(context, lambda: self.provider.delete(kind(request.urn), request.id), step)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        step = Step("invoke", request.tok, "")
        found = self._answer(context, lambda: self.provider.invoke(request.tok, plain(request.args)), step)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(struct(found))
        return response

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _answer(self, context: Any, call: Any, step: Step | None = None, left: Left = None) -> Any:
        """Answer, with a fault where the plan has one for this step.

        `left` says which id and state a failure leaves; without it the state stays as it is.
        """
        try:
            return self.faults.around(step, call) if self.faults and step else call()
        except LateFailure as failure:
            self._refuse(context, str(failure), left and left(failure.done))
        except (Refused, Injected) as refusal:
            is_made = step is not None and step.call != "create"
            self._refuse(context, str(refusal), left(None) if left and is_made else None)
        except Exception:  # a fault of the sandbox: say all of it
            context.abort(grpc.StatusCode.INTERNAL, f"the sandbox failed:\n{traceback.format_exc()}")

    def _refuse(self, context: Any, reason: str, left: tuple[str, Values] | None) -> None:
        if left:
            context.set_trailing_metadata(_partly_done(*left, reason))
        context.abort(grpc.StatusCode.UNKNOWN, reason)


def _partly_done(resource_id: str, state: Values, reason: str) -> tuple[tuple[str, bytes]]:
    """What pulumi-terraform-bridge answers after an operation that failed in terraform-plugin-sdk: the engine
    records the new state, with the reason (pulumi/provider.proto, ErrorResourceInitFailed).
    """
    detail = any_pb2.Any()
    failed = provider_pb2.ErrorResourceInitFailed(id=resource_id, properties=struct(state), reasons=[reason])
    detail.Pack(failed)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason, details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)


def _step(call: str, urn: str) -> Step:
    return Step(call, kind(urn), urn)


def _changes(changed: list[str]) -> Any:
    kinds = provider_pb2.DiffResponse
    return kinds.DIFF_SOME if changed else kinds.DIFF_NONE


def _property_diff(key: str, diffed: Diffed) -> Any:
    word = "ADD" if key in diffed.added else "DELETE" if key in diffed.removed else "UPDATE"
    name = f"{word}_REPLACE" if key in diffed.replaces else word
    return provider_pb2.PropertyDiff(kind=Kinds.Value(name), inputDiff=True)


def kind(urn: str) -> str:
    """The type of a URN: `…::a:b:Parent$aws:kms/key:Key::name` → `aws:kms/key:Key`."""
    return urn.split("::")[-2].rsplit("$", 1)[-1]


def plain(values: Any) -> dict[str, Any]:
    """A protobuf struct as Python values; whole numbers as `int`, absent as None."""
    return {k: _plain(v) for k, v in values.fields.items()}


def _plain(value: Any) -> Any:
    which = value.WhichOneof("kind")
    if which == "struct_value":
        return plain(value.struct_value)
    if which == "list_value":
        return [_plain(v) for v in value.list_value.values]
    if which == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if which in (None, "null_value") else getattr(value, which)


def struct(values: Values) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update({k: v for k, v in values.items() if v is not None})
    return made


def _leave_with(engine: int) -> None:
    """An engine that was killed interrupts nobody: end when its children are given to another."""
    while os.getppid() == engine:
        time.sleep(1)
    os._exit(1)


def _leave(_signal: int, _frame: object) -> None:
    os._exit(0)


def serve(provider: Provider) -> None:
    """Serve until the engine ends the process; the port goes to stdout, as the protocol wants."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _leave)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=unlimited)
    servicer = Servicer(provider, _faults(provider))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def _faults(provider: Provider) -> Injector | None:
    """What shall go wrong; a plan that is itself wrong was refused before the engine started."""
    try:
        plan = read_plan(os.environ)
    except FaultPlanError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        sys.exit(2)
    return Injector(plan, default_path().parent, provider.count) if plan else None
