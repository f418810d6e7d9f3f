"""The report of what was erased, written step by step, so that a repeated run continues it."""

from collections.abc import Mapping
from typing import Any, Final

from functions.tenant_leaving.documents import load, save
from functions.tenant_leaving.keys import text
from functions.tenant_leaving.stores import StoreKind
from functions.tenant_leaving.tools import Tools

FORMAT: Final = 1


def key_of(tenant: str) -> str:
    return f"tenants/{tenant}/erased.json"


class Report:
    """A document in the evidence bucket, read first and written when something is added."""

    def __init__(self, tenant: str, bucket: str, tools: Tools) -> None:
        self._tools, self.bucket, self.key = tools, bucket, key_of(tenant)
        found = load(tools.objects, bucket, self.key)
        self.content: dict[str, Any] = found or {
            "format": FORMAT, "tenant": tenant, "complete": False, "key": {}, "earlierKeys": [],
            "stores": [], "backups": [], "steps": [],
        }  # fmt: skip
        self.changed = False

    def store(self, kind: StoreKind, name: str, **facts: Any) -> None:
        """A store of the tenant's, which the certificate looks for, as it was first found."""
        self._named("stores", kind, name, facts)

    def backup(self, kind: str, name: str, **facts: Any) -> None:
        """A backup, deleted or remaining, as it was first found."""
        self._named("backups", kind, name, facts)

    def _named(self, section: str, kind: str, name: str, facts: Mapping[str, Any]) -> None:
        """Facts that come later are added."""
        for one in self.content[section]:
            if (one["kind"], one["name"]) == (kind, name):
                self._add(one, {k: v for k, v in facts.items() if one.get(k) is None and v is not None})
                return
        self.content[section].append({"kind": kind, "name": name, **facts})
        self.changed = True

    def about_keys(self, in_use: str, facts: Mapping[str, Mapping[str, Any]]) -> None:
        """ARN → what is known of the key, as it was first found."""
        earlier = self.content.setdefault("earlierKeys", [])  # reports from before had the one in use only
        for arn, known in facts.items():
            entry = self.content["key"] if arn == in_use else _of(earlier, arn)
            self._add(entry, {k: v for k, v in {"arn": arn, **known}.items() if entry.get(k) is None})

    def done(self, step: str) -> None:
        """The step's end, as it was reached first; all until here is kept."""
        if all(s["step"] != step for s in self.content["steps"]):
            self.content["steps"].append({"step": step, "at": text(self._tools.now())})
            self.changed = True
        self.save()

    def finish(self) -> None:
        self._add(self.content, {} if self.content["complete"] else {"complete": True})
        self.save()

    def save(self) -> None:
        if self.changed:
            save(self._tools.objects, self.bucket, self.key, self.content)
            self.changed = False

    def _add(self, where: dict[str, Any], facts: Mapping[str, Any]) -> None:
        if facts:
            where.update(facts)
            self.changed = True


def _of(keys: list[dict[str, Any]], arn: str) -> dict[str, Any]:
    """The entry of a key, which is made if there is none."""
    for key in keys:
        if key["arn"] == arn:
            return key
    keys.append({"arn": arn})
    return keys[-1]
