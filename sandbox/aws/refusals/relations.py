"""References between resources: what is named must exist, and cannot be deleted while it is named."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast

import yaml

from sandbox.aws.key_lifecycle import KEY, key_pending_deletion
from sandbox.aws.refusals.rule import Refusal, RuleContext
from sandbox.aws.templates import UNKNOWN
from sandbox.aws.type_descriptions import HERE, LOADER, Description, is_global
from sandbox.cloud.store import Row

PEERING: Final = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How AWS speaks of a type that is named by others."""

    missing: tuple[str, str] = ("InvalidParameterValue", "'{id}' does not exist")
    used: tuple[str, str] = ("", "")
    by: list[str] = field(default_factory=list)
    protected: tuple[str, str] = ("", "")
    anywhere: bool = False
    elsewhere: str | None = None


@cache
def _relations() -> Mapping[str, Relation]:
    # The loader is yaml's safe one, in C where it is there.
    text = (HERE / "relations.yaml").read_text(encoding="utf-8")
    return {k: Relation(**v) for k, v in yaml.load(text, Loader=LOADER).items()}  # noqa: S506


def relation(kind: str) -> Relation:
    return _relations().get(kind) or Relation()


def links(described: Description, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Input → the word by which it means another resource, each that is known."""
    return [(key, word) for key in described.refs for word in words(inputs, key.split("."))]


def words(value: Any, path: list[str]) -> Iterator[str]:
    """The texts at the end of a path, through lists."""
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from words(one, path)
    elif isinstance(value, Mapping) and path:
        yield from words(cast("Mapping[str, Any]", value).get(path[0]), path[1:])
    elif isinstance(value, str) and not path and value not in ("", UNKNOWN):
        yield value.removesuffix(":*")  # a log group's ARN ends so where an API wants it


def missing(at: RuleContext, described: Description) -> Iterator[Refusal]:
    for key, word in links(described, at.inputs):
        kind = described.refs[key]
        how = relation(kind)
        if _is_elsewhere(how, word, at.store.account):
            continue
        is_here = not (how.anywhere or (at.token == PEERING and at.known("peerRegion")))
        found = at.store.find(kind, word, here=is_here) or _of_others(at, kind, word)
        if kind == KEY:
            yield from _unusable(at, key, word, found)
        elif not found and not (is_global(kind) and at.store.known(kind, word)):
            code, words = how.missing
            yield Refusal(code, words.format(id=word), key)


def _of_others(at: RuleContext, kind: str, word: str) -> list[Row]:
    """What has one name over all accounts, as a bucket has, is found by it from any of them."""
    return [r for r in at.store.in_all_accounts(kind) if r.id == word] if is_global(kind) else []


def _unusable(at: RuleContext, key: str, word: str, found: list[Row]) -> Iterator[Refusal]:
    """KMS, Key states of AWS KMS keys: a key that waits for its deletion or is disabled serves nobody."""
    if not found and key_pending_deletion(at.store, word):
        yield Refusal("KMSInvalidStateException", f"{word} is pending deletion.", key)
    elif not found:
        code, words = relation(KEY).missing
        yield Refusal(code, words.format(id=word), key)
    elif found[0].outputs.get("isEnabled") is False and at.token != "aws:kms/alias:Alias":  # noqa: S105
        yield Refusal("DisabledException", f"{word} is disabled.", key)


def _is_elsewhere(how: Relation, word: str, account: str) -> bool:
    """What AWS keeps itself, and what is in another account, cannot be looked up."""
    if how.elsewhere and re.match(how.elsewhere, word):
        return True
    parts = word.split(":")
    return parts[0] == "arn" and len(parts) > 5 and parts[4] not in ("", account)


def used(at: RuleContext, row: Row) -> Iterator[Refusal]:
    how = relation(row.type)
    for who in how.by:
        kind, _, key = who.partition(" ")
        for user in at.store.users(row, kind, key or None):
            yield Refusal(how.used[0], how.used[1].format(id=row.id, user=user.id))
            return
