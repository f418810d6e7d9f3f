"""Creates, updates and deletes resources in the local cloud, as their type's description says."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.aws import propagation
from sandbox.aws.answers import ANSWERS
from sandbox.aws.checks import Problem, problems
from sandbox.aws.computed_values import MAKERS
from sandbox.aws.forms import normalised
from sandbox.aws.member_accounts import watch_members
from sandbox.aws.new_accounts import furnish
from sandbox.aws.planning import (
    EMPTY,
    changed_inputs,
    in_form,
    is_unset,
    planned_state,
    sent_inputs,
)
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
    young_accounts,
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
        furnish(store)

    # -- what the engine asks before it acts

    def check(
        self, token: str, name: str, inputs: Values, seed: bytes
    ) -> tuple[dict[str, Any], list[Problem]]:
        """The inputs with a name where they had none, and all that is wrong with them."""
        described, found = describe(token), dict(inputs)
        if described.named and found.get(described.named) is None and f"{described.named}Prefix" not in found:
            suffix = hashlib.sha256(seed + name.encode()).hexdigest()[:7]
            found |= {described.named: f"{name}-{suffix}", AUTONAMED: True}
        found = {**{k: v for k, v in described.defaults.items() if found.get(k) is None}, **_given(found)}
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

    def diff(self, token: str, old: Values, state: Values, new: Values, ignored: list[str]) -> Change:
        described = describe(token)
        keys = changed_inputs(described, old, state, new) - set(ignored)
        keys |= {*described.fresh} if keys and not described.framework else frozenset()
        added = frozenset(k for k in keys if state.get(k) is None)
        removed = frozenset(k for k in keys if new.get(k) is None)
        replaces = frozenset(k for k in keys if k in described.replace or k == "region")
        # A given name is taken until the old resource is gone; the provider knows, and deletes first.
        named = described.named is not None and new.get(described.named) is not None
        return Change(
            added=added,
            removed=removed,
            updated=frozenset(keys) - added - removed,
            replaces=replaces,
            delete_first=bool(replaces) and named and not new.get(AUTONAMED),
        )

    # -- what it then does

    def preview_create(self, token: str, inputs: Values) -> dict[str, Any]:
        """What is known before: inputs and defaults. What AWS makes is not."""
        late = dict.fromkeys([*describe(token).computed, *describe(token).keeps], UNKNOWN)
        return {**late, **self.planned_create(token, inputs)}

    def planned_create(self, token: str, inputs: Values) -> dict[str, Any]:
        """The state that is left where a resource was made and something after that failed."""
        described = describe(token)
        known = {k: v for k, v in described.fill.items() if k not in described.keeps}
        texts = {k: normalised(inputs[k]) for k in described.json if k in inputs}
        return {**known, **self._kept(described, inputs), **texts}

    def create(self, token: str, urn: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        described = describe(token)
        values = self._values(described, inputs, urn)
        resource_id = expand(described.id, values)
        at = RuleContext(token, inputs, self.store)
        self._tell(at, "create", f"creating {_noun(token)}")
        with self.store.change():
            self._refuse(at, described, f"creating {_noun(token)}")
            self._claim(token, described, resource_id, inputs)
            made = expand(described.make, {**values, "id": resource_id})
            if token in MAKERS:
                made |= MAKERS[token](self.store, resource_id, inputs)
            outputs = self._outputs(described, inputs, made)
            if self.store.get(token, resource_id, self._region(described)):
                raise _taken(token, described, resource_id)
            row = Row(token, resource_id, urn, dict(inputs), outputs)
            self._keep(described, row)
            watch_members(row, self.store)
        return resource_id, outputs

    def read(self, token: str, resource_id: str) -> Row | None:
        return self.store.get(token, resource_id, self._region(describe(token)))

    def planned_update(self, token: str, old: Values, state: Values, inputs: Values) -> dict[str, Any]:
        """The state that an update is to lead to, and that is left where it fails."""
        described = describe(token)
        return planned_state(described, state, inputs, changed_inputs(described, old, state, inputs))

    def planned_sets(self, token: str, state: Values, inputs: Values) -> dict[str, Any]:
        """Sets in the state after a creation or an update: as planned, whatever AWS answers.

        The SDK does not trust what it reads of them then (normalizeNullValues of terraform-plugin-sdk 2.38).
        """
        described = describe(token)
        planned = {} if described.framework else self.planned_update(token, {}, state, inputs)
        return {k: planned[k] for k in described.sets if k in planned}

    def unplanned_sets(self, token: str, state: Values, inputs: Values) -> frozenset[str]:
        """Sets that an update is to leave as they were: with nothing in the state. A creation that failed
        has left it so, though AWS filled them; a refresh finds them.
        """
        described = describe(token)
        if described.framework:
            return frozenset()
        planned = self.planned_update(token, {}, state, inputs)
        return frozenset(k for k in described.sets if planned.get(k) is None)

    def sent(self, token: str, resource_id: str, state: Values, inputs: Values) -> Values:
        """What AWS has of a resource once it was sent what an update changes."""
        described, row = describe(token), self.read(token, resource_id)
        # A resource of the framework compares for itself, and an invocation sends its whole input.
        if row is None or described.invoked or described.framework:
            return inputs
        return sent_inputs(described, row.inputs, state, inputs)

    def preview_update(self, token: str, old: Values, state: Values, inputs: Values) -> dict[str, Any]:
        described = describe(token)
        changed = changed_inputs(described, old, state, inputs)
        planned = planned_state(described, state, inputs, changed)
        late = [*described.fresh] if changed else []
        late += [k for k in described.keeps if described.framework and k not in planned]
        return {**planned, **dict.fromkeys(late, UNKNOWN)}

    def update(self, token: str, resource_id: str, urn: str, inputs: Values) -> dict[str, Any]:
        described, doing = describe(token), f"updating {_noun(token)} ({resource_id})"
        named = self.read(token, resource_id)
        self._tell(RuleContext(token, inputs, self.store, named, resource_id), "update", doing)
        with self.store.change():
            before = self.read(token, resource_id)
            if before is None:
                raise CloudError(f"{doing}: NotFoundException: it does not exist")
            at = RuleContext(token, inputs, self.store, before, resource_id)
            self._refuse(at, described, doing)
            inputs = {**inputs, **_unchanged_documents(described, before.outputs, inputs)}
            values = {**self._values(described, inputs, urn, before), "id": resource_id}
            again = {k: v for k, v in described.make.items() if is_pure(v) or k in described.fresh}
            own = {
                *described.computed,
                *described.make,
                *described.keeps,
            }  # what AWS made, where nobody says otherwise
            # A set that is given as empty is not sent, and so filled in anew, as where it was never given.
            emptied = {k for k in described.sets if k in described.fill and inputs.get(k) == []}
            kept = {
                k: before.outputs[k]
                for k in own
                if k in before.outputs and is_unset(described, inputs.get(k)) and k not in emptied
            }
            outputs = self._outputs(described, inputs, {**kept, **expand(again, values)}, before)
            self.store.release_names(token, resource_id)
            self._claim(token, described, resource_id, inputs)
            row = Row(token, resource_id, urn, dict(inputs), outputs)
            self._keep(described, row)
            watch_members(row, self.store)
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
            self.store.forget(propagation.things(row))
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
        kept = {**self._kept(described, inputs), **_answers(described, inputs)}
        place = {"region": self.store.region} if "region" in described.keeps else {}
        shown = {**place, **described.fill, **copied, **kept, **made, **fixed}
        if described.framework:  # which tells what is given as empty from what is filled in
            stays = {*described.blocks, *described.computed}
            shown = {k: v for k, v in shown.items() if k in stays or inputs.get(k, v) not in EMPTY}
        return shown

    def _kept(self, described: Description, inputs: Values) -> dict[str, Any]:
        """Of the inputs, what AWS keeps and shows: nothing that is write-only, and not what is empty and is
        filled in instead.
        """
        empty = {*described.fill, *described.keeps}
        kept = {
            k: v
            for k, v in _visible(inputs).items()
            if k not in described.write_only and not (k in empty and is_unset(described, v))
        }
        return {**{key: [] for key in described.blocks}, **kept}

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

    def _tell(self, at: RuleContext, action: str, doing: str) -> None:
        """Let AWS's service hear of the new roles and buckets that a request names. It refuses the request
        until then, and the provider waits or hands that on; what was heard stays so either way."""
        found = propagation.unheard(at) if rules_enabled() else []
        if found:
            with self.store.change():
                for one in found:
                    self.store.tell(one.service, one.word)
            _raise(propagation.not_waited_for(found, action), doing)

    def _refuse(self, at: RuleContext, described: Description, doing: str) -> None:
        """Everything that AWS refuses in the light of what is there."""
        if not rules_enabled():
            return
        _raise(young_accounts.not_ready(at), doing)
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


def _unchanged_documents(described: Description, outputs: Values, inputs: Values) -> dict[str, Any]:
    """A text that means what it meant is not sent."""
    keys = [k for k in (*described.json, *described.same) if outputs.get(k) and inputs.get(k)]
    return {
        k: outputs[k] for k in keys if in_form(described, k, outputs[k]) == in_form(described, k, inputs[k])
    }


def _answers(described: Description, inputs: Values) -> dict[str, Any]:
    """What AWS answers otherwise than it was given, and the provider does not take for the same."""
    found: dict[str, Any] = {}
    for key, how in described.answers.items():
        given = inputs.get(key)
        if is_unset(described, given) or given == UNKNOWN:
            continue
        answer = ANSWERS[how](given, inputs)
        if not _is_alike(described, key, given, answer):
            found[key] = answer
    return found


def _is_alike(described: Description, key: str, given: Any, answer: Any) -> bool:
    if isinstance(given, str) and isinstance(answer, str):
        return in_form(described, key, given) == in_form(described, key, answer)
    return given == answer


def _given(inputs: Values) -> dict[str, Any]:
    return {k: v for k, v in inputs.items() if v is not None}


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
