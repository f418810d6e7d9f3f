"""Creates, updates and deletes resources in the local cloud, as their type's description says."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.aws.checks import Problem, problems
from sandbox.aws.computed_values import MAKERS
from sandbox.aws.refusals import (
    CREATE,
    DELETE,
    INPUTS,
    CloudError,
    Refusal,
    RuleContext,
    quotas,
    raise_first,
    relations,
    rules_enabled,
    soft_deletes,
)
from sandbox.aws.templates import UNKNOWN, expand, is_pure
from sandbox.aws.type_descriptions import Description, describe, is_global
from sandbox.cloud.store import NameTakenError, Row, Store
from sandbox.json_values import members

AUTONAMED: Final = "__autonamed"  # marks a name that nobody gave, so that a replacement gets another
GLOBAL: Final = "-"  # the Region of what has none
HANDLES: Final = ("arn", "url", "keyId", "name")

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """How inputs differ: which, and which of those need a new resource."""

    added: frozenset[str]
    removed: frozenset[str]
    updated: frozenset[str]
    replaces: frozenset[str]
    delete_first: bool

    @property
    def keys(self) -> frozenset[str]:
        return self.added | self.removed | self.updated


class Cloud:
    """One account and Region. `tags` are the provider's default tags."""

    def __init__(self, store: Store, tags: Mapping[str, str]) -> None:
        self.store, self.tags = store, tags

    # -- what the engine asks before it acts

    def check(
        self, token: str, name: str, inputs: Values, seed: bytes
    ) -> tuple[dict[str, Any], list[Problem]]:
        """The inputs with a name where they had none, and all that is wrong with them."""
        described, found = describe(token), dict(inputs)
        if described.named and found.get(described.named) is None and f"{described.named}Prefix" not in found:
            suffix = hashlib.sha256(seed + name.encode()).hexdigest()[:7]
            found |= {described.named: f"{name}-{suffix}", AUTONAMED: True}
        if described.taggable:
            found["tagsAll"] = _merged(self.tags, found.get("tags"))
        if not rules_enabled():
            return found, []
        wrong = problems(described, {k: v for k, v in found.items() if k != "tagsAll"})
        # What is malformed by itself is not asked what it means.
        return found, wrong or [
            (r.key, str(r))
            for asked in INPUTS.get(token, ())
            for r in asked(RuleContext(token, found, self.store))
        ]

    def diff(self, token: str, old: Values, new: Values, ignored: list[str]) -> Change:
        described = describe(token)
        keys = {k for k in old.keys() | new.keys() if old.get(k) != new.get(k)} - set(ignored) - {AUTONAMED}
        added = frozenset(k for k in keys if old.get(k) is None)
        removed = frozenset(k for k in keys if new.get(k) is None)
        replaces = frozenset(k for k in keys if k in described.replace or k == "region")
        # A given name is taken until the old resource is gone; the provider knows, and deletes first.
        same_name = described.named is not None and old.get(described.named) == new.get(described.named)
        return Change(
            added=added,
            removed=removed,
            updated=frozenset(keys) - added - removed,
            replaces=replaces,
            delete_first=bool(replaces) and same_name and not new.get(AUTONAMED),
        )

    # -- what it then does

    def preview_create(self, token: str, inputs: Values) -> dict[str, Any]:
        """What is known before: inputs and defaults. What AWS makes is not."""
        described = describe(token)
        late = dict.fromkeys(described.computed, UNKNOWN)
        return {**late, **described.fill, **_visible(inputs)}

    def create(self, token: str, urn: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        described = describe(token)
        values = self._values(described, inputs, urn)
        resource_id = expand(described.id, values)
        with self.store.change():
            at = RuleContext(token, inputs, self.store)
            self._refuse(at, described, f"creating {_noun(token)}")
            self._claim(token, described, resource_id, inputs)
            made = expand(described.make, {**values, "id": resource_id})
            if token in MAKERS:
                made |= MAKERS[token](self.store, resource_id, inputs)
            outputs = self._outputs(described, inputs, made)
            if self.store.get(token, resource_id, self._region(described)):
                raise _taken(token, described, resource_id)
            self._keep(described, Row(token, resource_id, urn, dict(inputs), outputs))
        return resource_id, outputs

    def read(self, token: str, resource_id: str) -> Row | None:
        return self.store.get(token, resource_id, self._region(describe(token)))

    def preview_update(self, token: str, old: Values, inputs: Values) -> dict[str, Any]:
        fresh = dict.fromkeys(describe(token).fresh, UNKNOWN)
        return {**old, **_visible(inputs), **fresh}

    def update(self, token: str, resource_id: str, urn: str, inputs: Values) -> dict[str, Any]:
        described = describe(token)
        with self.store.change():
            before = self.read(token, resource_id)
            if before is None:
                raise CloudError(
                    f"updating {_noun(token)} ({resource_id}): NotFoundException: it does not exist"
                )
            at = RuleContext(token, inputs, self.store, before, resource_id)
            self._refuse(at, described, f"updating {_noun(token)} ({resource_id})")
            values = {**self._values(described, inputs, urn, before), "id": resource_id}
            again = {k: v for k, v in described.make.items() if is_pure(v) or k in described.fresh}
            own = {*described.computed, *described.make}  # what AWS made, where nobody says otherwise
            kept = {k: before.outputs[k] for k in own if k in before.outputs and inputs.get(k) is None}
            outputs = self._outputs(described, inputs, {**kept, **expand(again, values)}, before)
            self.store.release_names(token, resource_id)
            self._claim(token, described, resource_id, inputs)
            self._keep(described, Row(token, resource_id, urn, dict(inputs), outputs))
        return outputs

    def delete(self, token: str, resource_id: str) -> None:
        """Gone already is gone. What is protected stays, and what must leave a snapshot says so."""
        described = describe(token)
        with self.store.change():
            row = self.read(token, resource_id)
            if row is None:
                return
            at = RuleContext(token, row.outputs, self.store, row, resource_id)
            for refusal in _protections(described, row):
                raise CloudError(f"deleting {_noun(token)} ({resource_id}): {refusal}")
            if rules_enabled():
                raise_first(DELETE, f"deleting {_noun(token)} ({resource_id})", at)
                _raise(relations.used(at, row), f"deleting {_noun(token)} ({resource_id})")
            soft_deletes.note(row, self.store)
            self.store.remove(token, resource_id, self._region(described))

    # -- parts

    def _region(self, described: Description) -> str | None:
        return GLOBAL if described.regionless else None

    def _values(
        self, described: Description, inputs: Values, urn: str, before: Row | None = None
    ) -> dict[str, Any]:
        name = urn.rsplit("::", 1)[-1]
        project = urn.split("::", maxsplit=1)[0].removeprefix("urn:pulumi:")
        physical = inputs.get(described.named) if described.named else name
        mine = {"account": self.store.account, "region": self.store.region, "stack": project}
        copied, fixed = self._copied(described, inputs, before)
        given = {**described.fill, **copied, **inputs, **fixed}
        return {"name": name, **given, **mine, "physical": physical}

    def _outputs(
        self, described: Description, inputs: Values, made: Values, before: Row | None = None
    ) -> dict[str, Any]:
        copied, fixed = self._copied(described, inputs, before)
        return {**described.fill, **copied, **_visible(inputs), **made, **fixed}

    def _copied(
        self, described: Description, inputs: Values, before: Row | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is taken over from another, where nobody says otherwise and whatever anybody says; once it is
        made, a resource has it of its own."""
        found: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for how in described.copy:
            for word in relations.words(inputs, how["source"].split(".")):
                rows = [before] if before else self.store.find(described.token, word)
                for kind, fields in zip(found, (how["fields"], how.get("fixed", ())), strict=True):
                    kind |= {k: r.outputs[k] for r in rows[:1] for k in fields if k in r.outputs}
        return found

    def _refuse(self, at: RuleContext, described: Description, doing: str) -> None:
        """Everything that AWS refuses in the light of what is there."""
        if not rules_enabled():
            return
        if at.before is None:
            _raise(quotas.exceeded(at), doing)
        _raise(relations.missing(at, described), doing)
        raise_first(CREATE, doing, at)

    def _claim(self, token: str, described: Description, resource_id: str, inputs: Values) -> None:
        if described.unique is None:
            return
        mine = f"{self.store.account}/{GLOBAL if described.regionless else self.store.region}"
        scope = "" if is_global(token) else mine
        value = "\x00".join(str(inputs.get(k)) for k in described.unique)
        try:
            self.store.claim_name(scope, token, value, resource_id)
        except NameTakenError as wrong:
            raise _taken(token, described, value.replace("\x00", ", ")) from wrong

    def _keep(self, described: Description, row: Row) -> None:
        handles = {row.id, *(str(row.outputs[h]) for h in HANDLES if row.outputs.get(h))}
        if described.named and row.inputs.get(described.named):
            handles.add(str(row.inputs[described.named]))
        self.store.put(
            row,
            self._region(described),
            handles,
            relations.links(described, row.inputs) if rules_enabled() else (),
        )
        soft_deletes.begun(row, self.store)


def _visible(inputs: Values) -> dict[str, Any]:
    return {k: v for k, v in inputs.items() if not k.startswith("__")}


def _merged(defaults: Values, tags: Any) -> Any:
    return UNKNOWN if tags == UNKNOWN else {**defaults, **members(tags)}


def _noun(token: str) -> str:
    service, name = token.split(":")[1].split("/", maxsplit=1)[0], token.rsplit(":", 1)[1]
    return f"{service.upper()} {name}"


def _taken(token: str, described: Description, value: str) -> CloudError:
    return CloudError(f"creating {_noun(token)} ({value}): {described.exists}: it already exists")


def _raise(found: Iterator[Refusal], doing: str) -> None:
    for refusal in found:
        raise CloudError(f"{doing}: {refusal}")


def _protections(described: Description, row: Row) -> Iterator[Refusal]:
    """What a deletion protection answers; it holds even where nothing else is judged."""
    for key in described.keep:
        if row.outputs.get(key) is True:
            code, words = relations.relation(row.type).protected
            yield Refusal(code, words.format(id=row.id))
