"""The aws plugin: one account and one Region of the local cloud."""

import json
import os
import threading
from importlib.metadata import version
from typing import Any

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.invokes import answer
from sandbox.aws.type_descriptions import Undescribed, describe
from sandbox.cloud.store import Row, Store, default_path
from sandbox.data_plane.service import (
    BUCKET,
    FUNCTION,
    INSTANCE,
    INVOCATION,
    DataPlaneError,
    Service,
    databases_enabled,
)
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
        self._service = Service(default_path().parent)

    @property
    def cloud(self) -> Cloud:
        if self._cloud is None:
            raise Refused("the provider is not configured")
        return self._cloud

    def check(self, token: str, name: str, news: Values, olds: Values, seed: bytes) -> Checked:
        with _Answering(self._lock):
            # A name that was made up once stays.
            kept = {k: v for k, v in olds.items() if k == "__autonamed"}
            if kept and (key := _named(token)) and news.get(key) is None:
                news = {**news, key: olds.get(key), **kept}
            return Checked(*self.cloud.check(token, name, news, seed))

    def diff(self, token: str, old_inputs: Values, state: Values, news: Values, ignored: list[str]) -> Diffed:
        with _Answering(self._lock):
            change = self.cloud.diff(token, old_inputs, news, ignored)
            return Diffed(change.added, change.removed, change.updated, change.replaces, change.delete_first)

    def create(self, token: str, urn: str, inputs: Values, preview: bool) -> tuple[str, Values]:
        if preview:
            with _Answering(self._lock):
                return "", self.cloud.preview_create(token, inputs)
        result = self._before(token, "create", inputs, None)
        with _Answering(self._lock):
            made, outputs = self.cloud.create(token, urn, inputs)
        return made, self._after(token, Row(token, made, urn, inputs, outputs), result, new=True)

    def read(
        self, token: str, resource_id: str, inputs: Values, state: Values
    ) -> tuple[Values, Values] | None:
        with _Answering(self._lock):
            row = self.cloud.read(token, resource_id)
            return None if row is None else (row.inputs, row.outputs)

    def resolve(self, token: str, given: str) -> str:
        with _Answering(self._lock):
            if self.cloud.read(token, given) is not None:
                return given
            found = self.cloud.store.find(token, given)
            return found[0].id if len(found) == 1 else given

    def update(
        self, token: str, resource_id: str, urn: str, state: Values, inputs: Values, preview: bool
    ) -> Values:
        if preview:
            with _Answering(self._lock):
                return self.cloud.preview_update(token, state, inputs)
        result = self._before(token, "update", inputs, self._row(token, resource_id))
        with _Answering(self._lock):
            outputs = self.cloud.update(token, resource_id, urn, inputs)
        return self._after(token, Row(token, resource_id, urn, inputs, outputs), result, new=False)

    def delete(self, token: str, resource_id: str) -> None:
        row = self._row(token, resource_id)
        if row is not None:
            self._before(token, "delete", row.inputs, row)
        with _Answering(self._lock):
            self.cloud.delete(token, resource_id)
        if row is not None and token == INSTANCE and self.service.plane.exists:
            with _Answering():
                self.service.instance_deleted(row, self.cloud.store)

    def count(self, token: str) -> int:
        with _Answering(self._lock):
            return len(self.cloud.store.all(token))

    # -- the data plane: slow things, outside the lock

    @property
    def service(self) -> Service:
        if self._service is None:
            raise Refused("the provider is not configured")
        return self._service

    def _row(self, token: str, resource_id: str) -> Row | None:
        if token not in (BUCKET, INSTANCE, INVOCATION):
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
