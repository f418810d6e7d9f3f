"""The aws plugin: one account and one Region of the local cloud."""

import json
import os
import threading
from importlib.metadata import version
from typing import Any

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.describe import Undescribed, describe
from sandbox.aws.invokes import answer
from sandbox.cloud.store import Store, default_path
from sandbox.providers.plugin import Checked, Diffed, Provider, Refused, Values, serve


class Aws(Provider):
    """Presents itself as the account that the provider allows, unless SANDBOX_ACCOUNT_ID says otherwise."""

    def __init__(self) -> None:
        self.version = version("pulumi-aws")
        self._cloud: Cloud | None = None
        self._lock = threading.Lock()  # one connection, one transaction at a time

    def configure(self, values: Values) -> None:
        args = {k: _parsed(v) for k, v in values.items()}
        region, allowed = args.get("region"), args.get("allowedAccountIds") or []
        if not region:
            raise Refused("Missing region configuration: set the provider's region")
        account = os.environ.get("SANDBOX_ACCOUNT_ID") or (str(allowed[0]) if allowed else "000000000000")
        if allowed and account not in map(str, allowed):
            raise Refused(
                f"AWS account ID not allowed: {account}; this provider is for {', '.join(map(str, allowed))}"
            )
        tags = (args.get("defaultTags") or {}).get("tags") or {}
        self._cloud = Cloud(Store(default_path(), account, str(region)), tags)

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
        with _Answering(self._lock):
            if preview:
                return "", self.cloud.preview_create(token, inputs)
            return self.cloud.create(token, urn, inputs)

    def read(
        self, token: str, resource_id: str, inputs: Values, state: Values
    ) -> tuple[Values, Values] | None:
        with _Answering(self._lock):
            row = self.cloud.read(token, resource_id)
            return None if row is None else (row.inputs, row.outputs)

    def update(
        self, token: str, resource_id: str, urn: str, state: Values, inputs: Values, preview: bool
    ) -> Values:
        with _Answering(self._lock):
            if preview:
                return self.cloud.preview_update(token, state, inputs)
            return self.cloud.update(token, resource_id, urn, inputs)

    def delete(self, token: str, resource_id: str) -> None:
        with _Answering(self._lock):
            self.cloud.delete(token, resource_id)

    def invoke(self, token: str, args: Values) -> Values:
        with _Answering(self._lock):
            return answer(token, args, self.cloud.store)


class _Answering:
    """One call at a time; what the cloud refuses becomes the provider's answer."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: Any, wrong: BaseException | None, trace: Any) -> None:
        self._lock.release()
        if isinstance(wrong, CloudError | Undescribed):
            raise Refused(str(wrong)) from None


def _named(token: str) -> str | None:
    return describe(token).named


def _parsed(value: Any) -> Any:
    """Provider configuration arrives as JSON text wherever it is not a string."""
    if isinstance(value, str) and value[:1] in "[{":
        return json.loads(value)
    return value


if __name__ == "__main__":
    serve(Aws())
