"""What a provider takes for a change, and the state that an update is to lead to.

Terraform's two libraries for providers plan from the state, not from the inputs that were: they compare what
is given with what the state has. Each rule here was seen in the answers of the real libraries behind the real
bridge (tests/provider_oracle, pulumi-terraform-bridge 3.120):

- terraform-plugin-sdk v2 takes an empty text, list, set or mapping for one that is not given, and 0 and false
  that are not given for 0 and false.
- terraform-plugin-framework takes each value as it is: an empty set that AWS answers with none at all differs
  for ever.
- An input that AWS fills in where it is left out (`keeps`) stays as it is when it is left out later.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from sandbox.aws.forms import FORMS, normalised
from sandbox.aws.templates import UNKNOWN
from sandbox.aws.type_descriptions import Description

Values = Mapping[str, Any]
EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


def is_unset(described: Description, value: Any) -> bool:
    """Whether a given value is none at all to the provider."""
    return value is None if described.framework else value in EMPTY


def changed_inputs(described: Description, old: Values, state: Values, news: Values) -> frozenset[str]:
    """The inputs that the provider takes for changed."""
    keys = {k for k in old.keys() | news.keys() | {*described.inputs} if not k.startswith("__")}
    changed = frozenset(k for k in keys if _is_changed(described, k, state, news))
    return changed | _open(described, state, news) if changed else changed


def sent_inputs(described: Description, had: Values, state: Values, news: Values) -> dict[str, Any]:
    """What AWS has after an update: what it had, but for what differs from the state, which alone is sent.

    After an update that failed the state has what was not done, and until a refresh nobody sends that again
    (`schema.ResourceData.HasChange` of terraform-plugin-sdk v2.33; the bridge keeps the new inputs).
    """
    changed = changed_inputs(described, had, state, news)
    given = {k for k in news if k in changed or k in described.write_only or k.startswith("__")}
    kept = had.keys() - changed - {*described.write_only}
    return {k: had[k] for k in kept} | {k: news[k] for k in given}


def _open(described: Description, state: Values, news: Values) -> frozenset[str]:
    """Inputs left to AWS of which the state has nothing: known after an update for something else."""
    left = (None,) if described.framework else ("",)
    return frozenset(k for k in described.keeps if news.get(k) in left and state.get(k) is None)


def _is_changed(described: Description, key: str, state: Values, news: Values) -> bool:
    if key in described.write_only:
        return False
    new, now = news.get(key), state.get(key)
    if is_unset(described, new):
        return _is_removed(described, key, now, new)
    if (
        new == UNKNOWN
        and now
        and key in described.keeps
        and key in described.sets
        and not described.framework
    ):
        return False  # the SDK expects of a set that AWS may fill that it stays, unless it is empty
    return new != now and _canonical(described, key, new) != _canonical(described, key, now)


def _is_removed(described: Description, key: str, now: Any, new: Any) -> bool:
    """Whether leaving an input out changes what the state has."""
    if key in described.keeps:
        return new == [] and now not in (None, [])
    if key in described.fill:
        return now is not None and now != described.fill[key]
    if key in described.computed or key in described.make or _is_copied(described, key):
        return False
    return _canonical(described, key, now) not in (None, _canonical(described, key, None))


def _is_copied(described: Description, key: str) -> bool:
    return any(key in (*how["fields"], *how.get("fixed", ())) for how in described.copy)


def _canonical(described: Description, key: str, value: Any) -> Any:
    """A form in which equal values of an input are the same."""
    if value is None and key in described.blocks:
        return "[]"
    if isinstance(value, str) and value != UNKNOWN:
        value = in_form(described, key, value)
    if not described.framework:
        value = _without_zeros(value)
    if key in described.sets and isinstance(value, list):
        value = sorted(cast("list[Any]", value), key=_written)
    return None if value is None else _written(value)


def in_form(described: Description, key: str, text: str) -> str:
    """A text in the form in which the provider compares it."""
    form = "json" if key in described.json else described.same.get(key)
    return FORMS[form](text) if form else text


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _without_zeros(value: Any) -> Any:
    """Without what terraform-plugin-sdk cannot tell from what is not given: None where nothing is left."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        kept = {k: v for k, old in items if not k.startswith("__") and (v := _without_zeros(old)) is not None}
        return kept or None
    if isinstance(value, list):
        return [_without_zeros(v) for v in cast("list[Any]", value)] or None
    return None if value in ("", 0, False) else value


def planned_state(
    described: Description, state: Values, news: Values, changed: Iterable[str]
) -> dict[str, Any]:
    """The state that an update is to lead to, as far as the inputs say it."""
    planned = dict(state)
    for key in changed:
        if news.get(key) is None:
            planned.pop(key, None)
            if key in described.blocks:
                planned[key] = []
            if key in described.fill and key not in described.keeps:
                planned[key] = described.fill[key]
        else:
            planned[key] = normalised(news[key]) if key in described.json else news[key]
    return planned


def refreshed_inputs(described: Description, inputs: Values, outputs: Values) -> dict[str, Any]:
    """The inputs after a refresh: those that were, each as the outputs have it now."""
    found: dict[str, Any] = {}
    for key, was in inputs.items():
        if key.startswith("__") or key in described.json:  # the SDK does not compare JSON with its own form
            found[key] = was
        elif key not in described.write_only and (key in outputs or not described.framework):
            found[key] = _refreshed(was, outputs.get(key), zeros=not described.framework)
    return found


def same_documents(described: Description, state: Values, outputs: Values) -> dict[str, Any]:
    """Documents of a state that a refresh leaves in their form, since AWS has the same in another one
    (`DiffSuppressOnRefresh` of terraform-plugin-sdk v2.38).
    """
    keys = () if described.framework else described.json
    both = {k: state[k] for k in keys if isinstance(state.get(k), str) and isinstance(outputs.get(k), str)}
    return {k: was for k, was in both.items() if normalised(was) == normalised(outputs[k])}


def _refreshed(was: Any, now: Any, *, zeros: bool) -> Any:
    """Below an input as well only what was given, in lists only so many as were.

    With `zeros` what AWS does not answer is zero or empty, as the state of terraform-plugin-sdk has it.
    """
    if now is None:
        return type(was)() if zeros and was is not None else None
    if isinstance(was, list) and isinstance(now, list):
        both = zip(cast("list[Any]", was), cast("list[Any]", now), strict=False)
        return [_refreshed(old, new, zeros=zeros) for old, new in both]
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        old, new = cast("Mapping[str, Any]", was), cast("Mapping[str, Any]", now)
        is_block = zeros and any(not isinstance(v, str) for v in {**old, **new}.values())
        return {k: _refreshed(v, new.get(k), zeros=zeros) for k, v in old.items() if k in new or is_block}
    return now


def imported_inputs(described: Description, outputs: Values) -> dict[str, Any]:
    """The inputs of a resource of which only the id was given: outputs that are no zero and no default."""
    found: dict[str, Any] = {}
    for key in described.inputs:
        value, default = outputs.get(key), described.defaults.get(key)
        is_given = value != default if default is not None else value not in (*EMPTY, 0, False)
        if is_given and value is not None and key not in described.write_only:
            found[key] = _without_zeros_below(value)
    return found


def _without_zeros_below(value: Any) -> Any:
    """Blocks in a value without their zeros; a mapping of texts has none of its own and stays."""
    if isinstance(value, list):
        return [_without_zeros_below(v) for v in cast("list[Any]", value)]
    if not isinstance(value, Mapping):
        return value
    items = {k: _without_zeros_below(v) for k, v in cast("Mapping[str, Any]", value).items()}
    return {k: v for k, v in items.items() if v not in (*EMPTY, 0, False)}
