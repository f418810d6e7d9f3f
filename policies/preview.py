"""Reads a saved preview, or a stack's state, as a plan and its steps.

Read are `pulumi preview --json` (all that is planned with `--show-sames`), the engine's event log and
`pulumi stack export`, as the CLI 3.259 writes them. None of them carries a version but the state, so
their shape is checked instead: what does not look like them is refused in one sentence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard, cast

import msgspec

from policies.model import HIDDEN, SENTINELS, UNKNOWN, Plan, Resource

STATE_VERSION: Final = 3  # of `pulumi stack export` (apitype.UntypedDeployment)
OPERATIONS: Final = frozenset(
    {
        *("same", "create", "update", "delete", "replace", "create-replacement", "delete-replaced"),
        *("read", "read-replacement", "refresh", "discard", "discard-replaced", "import"),
        *("import-replacement", "remove-pending-replace"),
    }
)
GONE: Final = frozenset(
    {"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"}
)

# How the engine marks values that are more than JSON (pulumi, sdk/go/common/resource/sig/sig.go).
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, not a secret


class PreviewError(ValueError):
    """A file is not what it should be; the text is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the engine would do with one resource."""

    op: str
    urn: str
    type: str
    causes: tuple[str, ...]  # the properties that force a replacement, else those that differ
    before: Mapping[str, Any]  # the state that there is, {} where there is none
    after: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as read. `whole` is false where it lacks what stays as it is."""

    plan: Plan
    steps: tuple[Step, ...]
    whole: bool
    links: bool = True  # whether it says what depends on what


def read_preview(path: Path) -> Preview:
    """Read a file of any of the three formats; raises `PreviewError`."""
    try:
        data = path.read_bytes()
    except OSError as wrong:
        raise PreviewError(f"{path}: {wrong.strerror or wrong}; save one with {HOW}") from None
    return parse_preview(data, str(path))


HOW: Final = "`pulumi preview --json --show-sames > FILE`"


def parse_preview(data: bytes, name: str) -> Preview:
    """The preview in `data`; `name` is what messages call it."""
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError:
        found = _lines(data, name)
    try:
        if _mapping(found) and "deployment" in found:
            return _state(found, name)
        if _mapping(found) and "steps" in found:
            return _json(found, name)
        found = [found] if _mapping(found) else found  # a log of one event
        if _list(found) and found and all(_mapping(e) and "sequence" in e for e in found):
            return _events(cast("list[Mapping[str, Any]]", found), name)
    except (AttributeError, KeyError, TypeError) as wrong:
        raise PreviewError(
            f"{name}: not as this version of the engine writes it ({wrong!r}); save it anew with {HOW}"
        ) from None
    raise PreviewError(f"{name}: neither a preview, an event log nor a stack's state; save one with {HOW}")


def _lines(data: bytes, name: str) -> object:
    """An event log: a JSON document in each line."""
    try:
        return [msgspec.json.decode(line) for line in data.splitlines() if line.strip()]
    except msgspec.DecodeError as wrong:
        raise PreviewError(f"{name}: not JSON ({wrong}); save a preview with {HOW}") from None


def _mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)


def _list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list)


def _json(found: Mapping[str, Any], name: str) -> Preview:
    steps = tuple(_step(s, s.get("oldState") or {}, s.get("newState") or {}, name) for s in found["steps"])
    planned = [(s.before, s.after) for s in steps if s.op not in GONE]
    counted: Mapping[str, int] = found.get("changeSummary") or {}
    kept = sum(s.op == "same" for s in steps)
    plan = _plan(planned, found.get("config") or {})
    return Preview(plan, steps, whole=counted.get("same", kept) <= kept)


def _step(raw: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> Step:
    op, urn = raw["op"], raw["urn"]
    if op not in OPERATIONS:
        raise PreviewError(
            f"{name}: {op!r} is not an operation that this version knows;"
            " use the CLI that the project pins, or update policies/preview.py"
        )
    detail: Mapping[str, Mapping[str, Any]] = raw.get("detailedDiff") or {}
    forcing = [p for p, how in detail.items() if _kind(how).endswith("-replace")]
    reasons: list[str] = raw.get("replaceReasons") or raw.get("keys") or []
    causes = forcing or reasons or raw.get("diffReasons") or raw.get("diffs") or list(detail)
    return Step(op, urn, (after or before)["type"], tuple(causes), before, after)


def _kind(how: Mapping[str, Any]) -> str:
    """A preview calls it `kind`, an event log `diffKind`."""
    return str(how.get("kind") or how.get("diffKind"))


def _events(found: Sequence[Mapping[str, Any]], name: str) -> Preview:
    config: Mapping[str, str] = {}
    steps: list[Step] = []
    for event in found:
        if "preludeEvent" in event:
            config = event["preludeEvent"].get("config") or {}
        if "resourcePreEvent" in event:
            raw = event["resourcePreEvent"]["metadata"]
            steps.append(_step(raw, raw.get("old") or {}, raw.get("new") or {}, name))
    if not steps:
        raise PreviewError(f"{name}: an event log without a single step; save it with --event-log FILE")
    planned = [(s.before, s.after) for s in _last(steps) if s.op not in GONE]
    return Preview(_plan(planned, config), tuple(steps), whole=True, links=False)


def _last(steps: Iterable[Step]) -> Iterable[Step]:
    """One step of each resource: a replacement is three, of which the one that makes it counts."""
    found: dict[str, Step] = {}
    for step in steps:
        if step.urn not in found or step.op not in GONE:
            found[step.urn] = step
    return found.values()


def _state(found: Mapping[str, Any], name: str) -> Preview:
    version = found.get("version")
    if version != STATE_VERSION:
        raise PreviewError(
            f"{name}: a state of version {version}, expected {STATE_VERSION}; export it with the CLI that the"
            " project pins"
        )
    held = cast("list[Mapping[str, Any]]", found["deployment"].get("resources") or [])
    kept = [r for r in held if not r.get("delete")]
    steps = tuple(Step("same", r["urn"], r["type"], (), r, r) for r in kept)
    return Preview(_plan([(r, r) for r in kept], {}), steps, whole=True)


def _plan(planned: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]], config: Mapping[str, Any]) -> Plan:
    resources = tuple(_resource(before, after) for before, after in planned)
    stack = resources[0].urn.split("::")[0].rpartition(":")[2] if resources else ""
    return Plan(resources, stack, {k: str(v) for k, v in config.items()})


def _resource(before: Mapping[str, Any], after: Mapping[str, Any]) -> Resource:
    outputs: Mapping[str, Any] = known(after.get("outputs") or before.get("outputs") or {})
    made: Mapping[str, Any] = after.get("propertyDependencies") or {}
    identity = {k: v for k, v in outputs.items() if isinstance(v, str)}
    id_ = after.get("id") or before.get("id")
    return Resource(
        urn=after["urn"],
        type=after["type"],
        inputs=known(after.get("inputs") or {}),
        parent=after.get("parent") or "",
        protect=bool(after.get("protect")),
        provider=str(after.get("provider") or "").rpartition("::")[0],
        sources={k: tuple(v) for k, v in made.items() if v},
        identity=identity | ({"id": id_} if id_ else {}),
    )


def known(value: Any) -> Any:
    """A value as rules see it: what the engine marks as not known, or does not show, is `UNKNOWN`."""
    if isinstance(value, str):
        return UNKNOWN if value in SENTINELS or value == HIDDEN else value
    if _mapping(value):
        if value.get(SIGNATURE) == SECRET:
            return UNKNOWN
        return {k: known(v) for k, v in value.items()}
    if _list(value):
        return [known(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the engine's protocol has one kind of number
    return value


def dependents(urn: str, preview: Preview) -> Iterator[str]:
    """URNs of what is made of a resource, by its old state or its new one."""
    for step in preview.steps:
        for state in (step.before, step.after):
            own: Iterable[str] = state.get("dependencies") or ()
            if urn in own:
                yield step.urn
                break
