"""Quotas of an account and Region and of single resources: how many (`quotas.yaml`), of what (`limits.yaml`).

The profile of the cloud says whether its accounts are new and have what a quota calls `fresh`.

`SANDBOX_QUOTA_INCREASES` names the file of a project that says which are raised, and where.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.aws.refusals.rule import Refusal, RuleContext
from sandbox.aws.type_descriptions import HERE, LOADER
from sandbox.cloud.profile import Profile

QUOTAS: Final = HERE / "quotas.yaml"
LIMITS: Final = HERE / "limits.yaml"


@cache
def _limits() -> Mapping[str, list[tuple[str, dict[str, Any]]]]:
    """Type → the quotas that count it."""
    quotas = _read(QUOTAS)
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name, limit in _read(LIMITS).items():
        whole = {**quotas[limit["quota"]], **limit}
        for token in limit["counts"]:
            found.setdefault(token, []).append((name, whole))
    return found


def _read(path: Path) -> dict[str, Any]:
    # The loader is yaml's safe one, in C where it is there.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506


def _raised(quota: str) -> Mapping[str, int]:
    """account/Region, or an account → the value that a quota was raised to there."""
    path = os.environ.get("SANDBOX_QUOTA_INCREASES")
    if not path or not Path(path).is_file():
        return {}
    increase: Mapping[str, Any] = _increases(path).get(quota, {})
    return increase.get("raised", {})


@cache
def _increases(path: str) -> Mapping[str, Any]:
    return _read(Path(path)) or {}


def limited(token: str) -> list[str]:
    """The quotas that count a type, for the coverage report."""
    return [name for name, _ in _limits().get(token, ())]


def exceeded(at: RuleContext) -> Iterator[Refusal]:
    """The quotas that a new resource, or more of what one reserves, would exceed."""
    for _, limit in _limits().get(at.token, ()):
        value = _value(at, limit)
        if "amount" in limit:
            yield from _reserves_too_much(at, limit, value)
            continue
        if at.before is not None:
            continue
        wanted = limit.get("where", {})
        if any(at.known(k) != v for k, v in wanted.items()):
            continue
        if _taken(at, limit, wanted) >= value:
            yield Refusal(limit["code"], limit["says"].format(value=value, **_texts(at)), limit.get("of", ""))


def _value(at: RuleContext, limit: Mapping[str, Any]) -> int:
    """The quota of this account and Region: as it was raised there, or else by the cloud's profile."""
    raised = _raised(limit["quota"])
    noted = raised.get(f"{at.store.account}/{at.store.region}") or raised.get(at.store.account)
    fresh = limit.get("fresh") if at.store.profile is Profile.FRESH else None
    return noted or int((fresh or limit)["value"])


def _reserves_too_much(at: RuleContext, limit: Mapping[str, Any], value: int) -> Iterator[Refusal]:
    """Of a quota that resources divide up, AWS keeps some for all: of a small quota, the whole."""
    key = limit["amount"]
    wanted = at.known(key) or 0
    if wanted <= 0 or (at.before is not None and wanted <= (at.before.outputs.get(key) or 0)):
        return
    others = sum(max(r.outputs.get(key) or 0, 0) for kind in limit["counts"] for r in at.others(kind))
    kept = min(limit["keeps"], value)
    if value - others - wanted < kept:
        yield Refusal(limit["code"], limit["says"].format(kept=kept), key)


def _taken(at: RuleContext, limit: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    if "of" not in limit:
        if not wanted:
            return sum(at.store.count(kind) for kind in limit["counts"])
        return sum(1 for kind in limit["counts"] for _ in at.others(kind, **wanted))
    owner = at.known(limit["of"])
    owners = at.store.find(limit["owner"], str(owner)) if owner else []
    if not owners:
        return 0
    rows = at.store.users(owners[0], at.token, limit["of"])
    return sum(1 for r in rows if all(r.outputs.get(k) == v for k, v in wanted.items()))


def _texts(at: RuleContext) -> dict[str, str]:
    return {k: str(v) for k, v in at.inputs.items()}
