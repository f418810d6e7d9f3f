"""The aws plugin: one account and one Region of the local cloud."""

import json
import os
import threading
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from sandbox.aws.cloud import AUTONAMED, Cloud, CloudError
from sandbox.aws.deployments import deploy
from sandbox.aws.invokes import answer
from sandbox.aws.planning import imported_inputs, refreshed_inputs, same_documents
from sandbox.aws.refusals.compute import SERVICE
from sandbox.aws.type_descriptions import Undescribed, describe
from sandbox.cloud.store import Row, Store, default_path
from sandbox.data_plane.service import (
    BUCKET,
    FUNCTION,
    INSTANCE,
    INVOCATION,
    SCHEDULE,
    DataPlaneError,
    Service,
    databases_enabled,
    record_call,
)
from sandbox.faults.injector import LateFailure
from sandbox.providers.plugin import Checked, Diffed, Provider, Refused, Values, serve


class Aws(Provider):
    """Presents itself as the account that the provider allows, unless SANDBOX_ACCOUNT_ID says otherwise; and
    where the provider assumes a role, as the account of that role.
    """

    def __init__(self) -> None:
        self.version = version("pulumi-aws")
        self._cloud: Cloud | None = None
        self._lock = threading.Lock()  # one connection, one transaction at a time
        self._service: Service | None = None

    def configure(self, values: Values) -> None:
        args = {k: _parsed(v) for k, v in values.items()}
        region = args.get("region")
        allowed: list[Any] = args.get("allowedAccountIds") or []
        if not region:
            raise Refused("Missing region configuration: set the provider's region")
        account = _assumed(args) or os.environ.get("SANDBOX_ACCOUNT_ID")
        account = account or (str(allowed[0]) if allowed else "000000000000")
        if allowed and account not in map(str, allowed):
            raise Refused(
                f"AWS account ID not allowed: {account}; this provider is for {', '.join(map(str, allowed))}"
            )
        default_tags: Values = args.get("defaultTags") or {}
        tags: dict[str, Any] = default_tags.get("tags") or {}
        self._cloud = Cloud(Store(default_path(), account, str(region)), tags)
        self._service = Service(default_path().parent, propagates=True)

    @property
    def cloud(self) -> Cloud:
        if self._cloud is None:
            raise Refused("the provider is not configured")
        return self._cloud

    def check(self, token: str, name: str, news: Values, olds: Values, seed: bytes) -> Checked:
        with _Answering(self._lock):
            # A name that is left out stays what it was, and is one that nobody gave.
            if (key := _named(token)) and news.get(key) is None and olds.get(key) is not None:
                news = {**news, key: olds[key], AUTONAMED: True}
            return Checked(*self.cloud.check(token, name, news, seed))

    def diff(self, token: str, old_inputs: Values, state: Values, news: Values, ignored: list[str]) -> Diffed:
        with _Answering(self._lock):
            change = self.cloud.diff(token, old_inputs, state, news, ignored)
            return Diffed(change.added, change.removed, change.updated, change.replaces, change.delete_first)

    def create(self, token: str, urn: str, inputs: Values, preview: bool) -> tuple[str, Values]:
        if preview:
            with _Answering(self._lock):
                return "", self.cloud.preview_create(token, inputs)
        result = self._before(token, "create", inputs, None)
        with _Answering(self._lock):
            made, outputs = self.cloud.create(token, urn, inputs)
            sets = self.cloud.planned_sets(token, {}, inputs)
        row = Row(token, made, urn, inputs, outputs)
        if token == SERVICE:
            self._deploy(row, None, (made, outputs))
        return made, {**self._after(token, row, result, new=True), **sets}

    def read(
        self, token: str, resource_id: str, inputs: Values, state: Values, *, known: bool
    ) -> tuple[Values, Values] | None:
        described = describe(token)
        with _Answering(self._lock):
            row = self.cloud.read(token, resource_id)
        if known and described.invoked:
            return refreshed_inputs(described, inputs, state), state  # it asks nothing (schema.NoopContext)
        if row is None or not (known or described.importable):
            return None
        found = (
            refreshed_inputs(described, inputs, row.outputs)
            if known
            else imported_inputs(described, row.outputs)
        )
        return found, {**row.outputs, **same_documents(described, state, row.outputs)}

    def asks_on_read(self, token: str) -> bool:
        return not describe(token).invoked

    def resolve(self, token: str, given: str) -> str:
        with _Answering(self._lock):
            if self.cloud.read(token, given) is not None:
                return given
            found = self.cloud.store.find(token, given)
            return found[0].id if len(found) == 1 else given

    def planned_update(
        self, token: str, old_inputs: Values, state: Values, inputs: Values, preview: bool
    ) -> Values:
        with _Answering(self._lock):
            plan = self.cloud.preview_update if preview else self.cloud.planned_update
            return plan(token, old_inputs, state, inputs)

    def planned_create(self, token: str, inputs: Values) -> Values:
        with _Answering(self._lock):
            return self.cloud.planned_create(token, inputs)

    def update_again(self, token: str, resource_id: str, urn: str, state: Values, inputs: Values) -> Values:
        """An update in which nothing differs from the state: AWS's resources only read then. An invocation
        calls its function whatever has changed (resourceInvocationUpdate, terraform-provider-aws, 2026-11).
        """
        if describe(token).invoked:
            return self.update(token, resource_id, urn, state, inputs)
        with _Answering(self._lock):
            row = self.cloud.read(token, resource_id)
            if row is None:
                raise Refused(f"the resource {resource_id} did not exist while updating {urn}; refresh first")
            shown = {k: v for k, v in row.outputs.items() if k in state or k not in describe(token).sets}
            return {**shown, **self.cloud.planned_sets(token, state, inputs)}

    def update(self, token: str, resource_id: str, urn: str, state: Values, inputs: Values) -> Values:
        before = self._row(token, resource_id)
        # What was before an update the provider knows from the state: after a call that failed that has the
        # input which failed (getInputChange, internal/service/lambda/invocation.go, 2026-11).
        known = replace(before, inputs={**before.inputs, **_input(state)}) if before else None
        result = self._before(token, "update", inputs, known)
        with _Answering(self._lock):
            sent = self.cloud.sent(token, resource_id, state, inputs)
            outputs = self.cloud.update(token, resource_id, urn, sent)
            sets = self.cloud.planned_sets(token, state, inputs)
            unplanned = self.cloud.unplanned_sets(token, state, inputs)
        row = Row(token, resource_id, urn, sent, outputs)
        if token == SERVICE:
            self._deploy(row, before, outputs)
        made = self._after(token, row, result, new=False)
        return {**{k: v for k, v in made.items() if k not in unplanned}, **sets}

    def delete(self, token: str, resource_id: str) -> None:
        row = self._row(token, resource_id)
        result = self._before(token, "delete", row.inputs, row) if row else None
        with _Answering(self._lock):
            self.cloud.delete(token, resource_id)
            if row is not None and token == INVOCATION and result is None:
                record_call(self.cloud.store, "delete", row.inputs)
        if row is not None and token == INSTANCE and self.service.plane.exists:
            with _Answering():
                self.service.instance_deleted(row, self.cloud.store)

    def count(self, token: str) -> int:
        with _Answering(self._lock):
            return len(self.cloud.store.all(token))

    def _deploy(self, row: Row, before: Row | None, done: Any) -> None:
        """Wait for a service's deployment, as the provider does once ECS has taken the service."""
        with _Answering(self._lock), self.cloud.store.change():
            failed = deploy(row, before, self.cloud.store)
        if failed:
            doing = "update" if before else "create"
            raise LateFailure(f"waiting for ECS Service ({row.id}) {doing}: {failed}", done)

    # -- the data plane: slow things, outside the lock

    @property
    def service(self) -> Service:
        if self._service is None:
            raise Refused("the provider is not configured")
        return self._service

    def _row(self, token: str, resource_id: str) -> Row | None:
        if token not in (BUCKET, INSTANCE, INVOCATION, SERVICE):
            return None
        with _Answering(self._lock):
            return self.cloud.read(token, resource_id)

    def _before(self, token: str, action: str, inputs: Values, row: Row | None) -> str | None:
        """What must have worked before the cloud says that it is so."""
        with _Answering():
            if token == FUNCTION and action != "delete" and databases_enabled():
                self.service.function_uploaded(inputs)
            if token == BUCKET and action == "delete" and row:
                self.service.require_empty_bucket(row)
            if token == INVOCATION:
                return self.service.invoke_function(
                    self.cloud.store, action, inputs, row.inputs if row else None
                )
        return None

    def _after(self, token: str, row: Row, result: str | None, *, new: bool) -> Values:
        """What follows; an instance that cannot be made does not exist."""
        if result is not None:
            outputs = {**row.outputs, "result": result}
            with _Answering(self._lock), self.cloud.store.change():
                self.cloud.store.update_outputs(token, row.id, outputs)
            return outputs
        if token == INVOCATION:
            with _Answering(self._lock):
                record_call(self.cloud.store, "update", row.inputs)
        if token in (FUNCTION, SCHEDULE):
            with _Answering(self._lock):
                self.service.note_made(row, self.cloud.store)
        if token != INSTANCE:
            return row.outputs
        try:
            with _Answering():
                if not new:
                    self.service.instance_changed(row, self.cloud.store)
                elif databases_enabled():
                    self.service.instance_created(row, self.cloud.store)
        except Refused:
            with _Answering(self._lock), self.cloud.store.change():
                if new:
                    self.cloud.store.remove(token, row.id)
            raise
        return row.outputs

    def is_sdk(self, token: str) -> bool:
        return not describe(token).framework

    def invoke(self, token: str, args: Values) -> Values:
        with _Answering(self._lock):
            return answer(token, args, self.cloud.store)


class _Answering:
    """One call at a time with a lock; what the cloud refuses becomes the provider's answer."""

    def __init__(self, lock: Any = None) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if self._lock:
            self._lock.acquire()

    def __exit__(self, kind: Any, wrong: BaseException | None, trace: Any) -> None:
        if self._lock:
            self._lock.release()
        if isinstance(wrong, CloudError | Undescribed | DataPlaneError):
            raise Refused(str(wrong)) from None


def _input(state: Values) -> Values:
    """Of an invocation's state, what its function was last to be called with."""
    return {key: state[key] for key in ("input",) if key in state}


def _assumed(args: Values) -> str | None:
    """The account of the last role that the provider assumes, None where it assumes none."""
    roles: list[Any] = args.get("assumeRoles") or []
    return str(roles[-1]["roleArn"]).split(":")[4] if roles else None


def _named(token: str) -> str | None:
    return describe(token).named


def _parsed(value: Any) -> Any:
    """Provider configuration arrives as JSON text wherever it is not a string."""
    if isinstance(value, str) and value[:1] in "[{":
        return json.loads(value)
    return value


if __name__ == "__main__":
    serve(Aws())
