"""Hypothesis strategies for whole registries and for edits of them, and the world in which they happen.

A `World` is what a repository holds of one stack: the entries in the order of the file, and the
ledger. `World.run` is what a local `up` does before the engine starts: it refuses, or it returns the
world with everybody placed. Tests of the plan and of the program take `registries()`,
`edited_registries()` or `worlds()` with `edits()`.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from config.yaml_editing import set_fields
from tenants import entry_checks
from tenants.allocation import CellFullError, extend
from tenants.cell import Cell, read_cell
from tenants.entries import entry_text, values_of
from tenants.lifecycle import edit_checks
from tenants.lifecycle.edit_checks import guard_facts
from tenants.lifecycle.keys import SETTLED
from tenants.lifecycle.registry_changes import TransitionOptions, changes_of
from tenants.models import Contacts, Ledger, Overrides, Registry, ServicePlan, Span, Tenant
from tenants.phases import MOVE_STAGES, TRANSITIONS, Phase, Transition
from tenants.project import Project
from tenants.registry_files import read_tenants
from tenants.states import Isolation, Leaving, Move, NetworkMode, PlacementKind
from tests.cells import PROJECT

DAY: Final = date(2026, 11, 23)
AGREED: Final = Leaving(retain_until=date(2033, 12, 31))


@cache
def plans() -> Mapping[str, ServicePlan]:
    """The committed service plans."""
    found, findings = Project(PROJECT).plans
    assert not findings
    return found


@cache
def committed_cell(stack: str) -> Cell:
    found, findings = read_cell(PROJECT, stack)
    assert found is not None, findings
    return found


def small_cell(stack: str = "prod") -> Cell:
    """A committed cell whose shards are small, so that a few tenants fill several of them."""
    return replace(committed_cell(stack), shard_capacity=2, shard_limit=26)


class RefusedError(ValueError):
    """A run that stopped before the engine started."""


@dataclass(frozen=True, slots=True)
class World:
    """One stack as its repository has it."""

    cell: Cell
    entries: tuple[Tenant, ...]  # in the order of the file
    ledger: Ledger
    day: date

    def run(self) -> "World":
        """Check and place everybody; raises `RefusedError` with what is wrong."""
        by_id = {t.id: t for t in self.entries}
        found = [p for t in self.entries for p in entry_checks.problems(t, plans(), self.cell)]
        found += edit_checks.problems(by_id, frozenset(by_id), self.ledger, self.day)
        if found:
            raise RefusedError("; ".join(f"{who}: {wrong}" for who, _, wrong, _ in found))
        try:
            return replace(self, ledger=extend(self.ledger, self.entries, self.cell, self.day))
        except CellFullError as full:
            raise RefusedError(str(full)) from None

    @property
    def registry(self) -> Registry:
        placed = sorted((t for t in self.entries if t.phase.row.placed), key=lambda t: t.id)
        return Registry(stack=self.cell.stack, tenants=tuple(placed), plans=plans(), ledger=self.ledger)

    def edit(self, id_: str, **fields: Any) -> "World":
        return replace(self, entries=tuple(replace(t, **fields) if t.id == id_ else t for t in self.entries))

    def without(self, id_: str) -> "World":
        return replace(self, entries=tuple(t for t in self.entries if t.id != id_))


# ------------------------------------------------------------------ values

WORDS: Final = ("acme", "bolt", "crown", "delta", "ember", "fjord", "pay", "bank", "fx", "co", "a1")
TAGS: Final = ("team", "desk", "a:b")
ANY_TIME: Final = ("name", "contacts", "tags", "key_rotation_days", "residency", "since")
TEXT: Final = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=("Cc", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=20,
)

ids: Final = st.one_of(
    st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True),
    # Ids that differ in little, which is where names collide.
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("-".join),
    st.sampled_from(["a" * 20, "a" * 19 + "b", "abcdefghij-klmnopqrs", "abcdefghij-klmnopqrt"]),
).filter(lambda t: 3 <= len(t) <= 20)


@st.composite
def contacts(draw: st.DrawFn) -> Contacts:
    host = draw(st.from_regex(r"[a-z]{1,8}(-[a-z]{1,4})?", fullmatch=True))
    hook = draw(
        st.sampled_from([None, f"https://hooks.{host}.example", f"https://{host}.example/a?b=c&d=%20"])
    )
    return Contacts(email=f"ops+{host}@{host}.example", webhook=hook)


@st.composite
def overrides(draw: st.DrawFn, plan: ServicePlan) -> Overrides:
    """What the plan allows, each field or not."""
    values: dict[str, Any] = {}
    for name in ("instance_class", "storage_gib", "backup_days", "report_replicas"):
        allowed: Span | tuple[str, ...] | None = getattr(plan.overrides, name)
        if allowed and draw(st.booleans()):
            of = (
                st.integers(allowed.low, allowed.high)
                if isinstance(allowed, Span)
                else st.sampled_from(allowed)
            )
            values[name] = draw(of)
    return Overrides(**values)


@st.composite
def tenants(draw: st.DrawFn, id_: str, isolation: Isolation | None = None) -> Tenant:
    """An active tenant of any kind that a cell in Ireland may hold."""
    isolation = isolation or Isolation(draw(st.sampled_from(Isolation)))
    plan = draw(st.sampled_from(sorted(plans())))
    silo = isolation is Isolation.SILO
    return Tenant(
        id=id_,
        name=draw(TEXT),
        isolation=isolation,
        network=draw(st.sampled_from(NetworkMode)) if silo else NetworkMode.SHARED,
        residency=draw(st.sampled_from(["eu", "ie"])),
        plan=plan,
        contacts=draw(contacts()),
        key_rotation_days=draw(st.sampled_from([90, 91, 365, 2560])),
        tags=draw(
            st.dictionaries(st.sampled_from(["team", "desk", "a:b"]), st.sampled_from(["-", "x", "12"]))
        ),
        overrides=draw(overrides(plans()[plan])) if silo else Overrides(),
        since=draw(st.none() | st.dates(date(2020, 1, 1), DAY)),
    )


# ------------------------------------------------------------------ worlds


@st.composite
def worlds(draw: st.DrawFn, cell: Cell | None = None, min_size: int = 0, max_size: int = 8) -> World:
    """A stack whose tenants were onboarded in some order, so that the ledger has a history."""
    names = draw(st.lists(ids, min_size=min_size, max_size=max_size, unique=True))
    world = World(cell or small_cell(), (), Ledger(), DAY)
    for name in names:
        world = replace(world, entries=(*world.entries, draw(tenants(name)))).run()
    return replace(world, entries=tuple(draw(st.permutations(world.entries))))


def registries(cell: Cell | None = None, min_size: int = 0, max_size: int = 8) -> st.SearchStrategy[Registry]:
    return worlds(cell, min_size, max_size).map(lambda w: w.registry)


# ------------------------------------------------------------------ edits


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a registry. `tenant` is the only one that it touches ("" for nobody)."""

    what: str
    tenant: str
    apply: Callable[[World], World]

    def __repr__(self) -> str:
        return f"<{self.what} {self.tenant}>"


@st.composite
def _add(draw: st.DrawFn, world: World) -> Edit:
    taken = {t.id for t in world.entries} | set(world.ledger.erased)
    tenant = draw(tenants(draw(ids.filter(lambda i: i not in taken))))
    at = draw(st.integers(0, len(world.entries)))
    return Edit("add", tenant.id, lambda w: replace(w, entries=(*w.entries[:at], tenant, *w.entries[at:])))


@st.composite
def _fields(draw: st.DrawFn, world: World) -> Edit:
    """Another display name, plan, contact, tag, rotation or override: fields that may change at any time."""
    old = draw(st.sampled_from([t for t in world.entries if t.phase.row.placed]))
    new = draw(tenants(old.id, old.isolation))
    names = draw(st.lists(st.sampled_from(ANY_TIME), min_size=1) | st.just(["plan", "overrides"]))
    return Edit("change", old.id, lambda w: w.edit(old.id, **{n: getattr(new, n) for n in names}))


def _set(what: str, world: World, which: Callable[[Tenant], bool], **fields: Any) -> st.SearchStrategy[Edit]:
    chosen = [t.id for t in world.entries if which(t)]
    return st.sampled_from(chosen).map(lambda i: Edit(what, i, lambda w: w.edit(i, **fields)))


def _drop(world: World) -> st.SearchStrategy[Edit]:
    gone = [t.id for t in world.entries if t.id in world.ledger.erased]
    return st.sampled_from(gone).map(lambda i: Edit("drop", i, lambda w: w.without(i)))


def _reorder(world: World) -> st.SearchStrategy[Edit]:
    return st.permutations(world.entries).map(
        lambda p: Edit("reorder", "", lambda w: replace(w, entries=tuple(p)))
    )


def _wait(_world: World) -> st.SearchStrategy[Edit]:
    return st.sampled_from([1, 10, 40, 4000]).map(
        lambda n: Edit("wait", "", lambda w: replace(w, day=w.day + timedelta(days=n)))
    )


def edits(world: World) -> st.SearchStrategy[Edit]:
    """Edits that a run accepts in this world, unless the cell is full."""
    states = {t.state for t in world.entries}
    choices: list[st.SearchStrategy[Edit]] = [_add(world), _wait(world)]
    choices += [_reorder(world)] if world.entries else []
    choices += [_fields(world)] * 2 if states - {Phase.ERASED} else []
    choices += steps(world, frozenset(Phase))
    if any(_turns(world, t) for t in world.entries):
        choices.append(_turn(world))
    if any(t.id in world.ledger.erased for t in world.entries):
        choices.append(_drop(world))
    return st.one_of(choices)


def steps(world: World, phases: Container[Phase]) -> list[st.SearchStrategy[Edit]]:
    """The steps of tenants' lives that are open on the world's day and lead to one of the phases."""
    taken = [a for a in TRANSITIONS if a.after in phases]
    return [_step(world, t, a) for t in world.entries for a in taken if _open(world, t, a)]


def _turns(world: World, tenant: Tenant) -> bool:
    """Whether a tenant may be given a new key: it is settled, and so was the last run."""
    home = world.ledger.placements.get(tenant.id)
    settled = home is not None and {home.phase, tenant.phase} <= SETTLED
    return settled and home is not None and home.key == tenant.key < 5


def _turn(world: World) -> st.SearchStrategy[Edit]:
    chosen = [t for t in world.entries if _turns(world, t)]
    return st.sampled_from(chosen).map(
        lambda t: Edit("rotate key", t.id, lambda w: w.edit(t.id, key=t.key + 1))
    )


def _open(world: World, tenant: Tenant, arrow: Transition) -> bool:
    """Whether a placed tenant may take the arrow on the world's day."""
    home = world.ledger.placements.get(tenant.id)
    if home is None or tenant.phase is not arrow.before or home.phase is not arrow.before:
        return False
    agreed = replace(tenant, leaving=tenant.leaving or AGREED)
    return arrow.guard is None or arrow.guard(guard_facts(agreed, home), world.day) is None


def _step(world: World, tenant: Tenant, arrow: Transition) -> st.SearchStrategy[Edit]:
    """A step of a tenant's life, written as the command line writes it."""
    others = [kind for kind in PlacementKind if kind is not tenant.placement_kind]
    retain = AGREED.retain_until if arrow.after is Phase.RETAINED else None
    wishes = st.builds(
        lambda to, soak: TransitionOptions(to=to, soak_days=soak, retain_until=retain),
        st.sampled_from(others),
        st.sampled_from([None, 0]),
    )
    if arrow.event == "move" and tenant.placement_kind.has_own_instance:
        wishes |= st.just(TransitionOptions(at=f"{DAY - timedelta(days=1)}T10:00:00Z"))
    return wishes.map(
        lambda options: Edit(str(arrow.after), tenant.id, lambda w: take_step(w, tenant.id, arrow, options))
    )


def take_step(world: World, id_: str, arrow: Transition, options: TransitionOptions) -> World:
    """The world after a step was written into the registry."""
    tenant = next(t for t in world.entries if t.id == id_)
    changes = changes_of(tenant, arrow, options)
    text = set_fields(entry_text(id_, values_of(tenant)), id_, changes)
    read, findings = read_tenants(text, "x")
    assert not findings, findings
    return replace(world, entries=tuple(read.models[id_] if t.id == id_ else t for t in world.entries))


def forbidden_edits(world: World) -> st.SearchStrategy[Edit]:
    """Edits that would move or lose data, or jump a stage: a run must refuse each. Needs a placed tenant."""
    placed = [t for t in world.entries if t.id in world.ledger.placements]
    choices = [
        st.sampled_from(placed).map(lambda t: Edit("remove", t.id, lambda w: w.without(t.id))),
        st.sampled_from(placed).map(lambda t: Edit("switch", t.id, lambda w: w.edit(t.id, **_switched(t)))),
        st.just(Edit("empty", "", lambda w: replace(w, entries=()))),
    ]
    if any(t.state is Phase.ACTIVE for t in placed):
        choices.append(_set("erase", world, lambda t: t.state is Phase.ACTIVE, state=Phase.ERASED))
    if any(t.phase is Phase.ACTIVE for t in placed):
        choices.append(_jump(world))
    choices.append(
        st.sampled_from(placed).map(
            lambda t: Edit("lower or jump key", t.id, lambda w: w.edit(t.id, key=t.key - 1 or t.key + 2))
        )
    )
    return st.one_of(choices)


def _jump(world: World) -> st.SearchStrategy[Edit]:
    """A move that begins in the middle."""
    settled = [t for t in world.entries if t.id in world.ledger.placements and t.phase is Phase.ACTIVE]
    stages = [stage for stage in MOVE_STAGES if stage not in (Phase.PREPARE, Phase.DONE)]

    def edit(tenant: Tenant, to: PlacementKind, stage: Phase) -> Edit:
        move = Move(origin=tenant.placement_kind, to=to, stage=stage)
        return Edit("jump", tenant.id, lambda w: w.edit(tenant.id, move=move))

    return st.sampled_from(settled).flatmap(
        lambda t: st.builds(
            edit,
            st.just(t),
            st.sampled_from([k for k in PlacementKind if k is not t.placement_kind]),
            st.sampled_from(stages),
        )
    )


def _switched(tenant: Tenant) -> dict[str, Any]:
    if tenant.isolation is Isolation.POOL:
        return {"isolation": Isolation.SILO}
    other = {NetworkMode.SHARED: NetworkMode.DEDICATED, NetworkMode.DEDICATED: NetworkMode.SHARED}
    return {"network": other[tenant.network]}


@st.composite
def edited_registries(
    draw: st.DrawFn, cell: Cell | None = None, max_size: int = 6
) -> tuple[Registry, Registry, str]:
    """A registry before and after one accepted edit, and the id of the tenant that the edit touched."""
    before = draw(worlds(cell, min_size=1, max_size=max_size))
    edit = draw(edits(before))
    return before.registry, edit.apply(before).run().registry, edit.tenant
