"""An edit of one tenant leaves every other tenant's registrations as they were."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.mocks import Recording
from plan import plan_cell
from tenants.models import Contacts, Isolation, NetworkMode, Tenant
from tests.cells import registry_of, settings_of
from tests.program.cell import belonging, deploy, deployed, edited

STACK = "dev"
NEW = Tenant(
    id="harbour-pay",
    name="Harbour Pay",
    isolation=Isolation.POOL,
    residency="eu",
    plan="standard",
    contacts=Contacts(email="ops@harbour-pay.example"),
)
KINDS = {
    "pool": {"isolation": Isolation.POOL, "network": NetworkMode.SHARED},
    "silo": {"isolation": Isolation.SILO, "network": NetworkMode.SHARED},
    "dedicated": {"isolation": Isolation.SILO, "network": NetworkMode.DEDICATED},
}


def changed(before: Recording, after: Recording, tenants: list[str]) -> list[tuple[str, str]]:
    """Registrations of these tenants that differ in type, name, parent, protection or inputs."""
    found: list[tuple[str, str]] = []
    for tenant in tenants:
        old, new = belonging(before, tenant), belonging(after, tenant)
        assert old, tenant
        found += sorted(old.keys() ^ new.keys())
        found += [key for key in old.keys() & new.keys() if old[key] != new[key]]
    return found


@cache
def with_new(kind: str) -> Recording:
    """The stack with one tenant more."""
    return deploy(edited(STACK, [*registry_of(STACK).tenants, replace(NEW, **KINDS[kind])]))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_new_tenant_changes_nobody_else(kind: str) -> None:
    before, after = registry_of(STACK).tenants, with_new(kind)
    assert changed(deployed(STACK), after, [t.id for t in before]) == []
    assert belonging(after, NEW.id)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_new_tenant_replaces_nothing_of_the_cell(kind: str) -> None:
    old, new = belonging(deployed(STACK), None), belonging(with_new(kind), None)
    assert [key for key in old if key not in new] == []


# One that is pooled, one with an instance and one with a network of its own; the slow ones are pooled too.
@pytest.mark.parametrize("index", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3)), 4, 5])
def test_a_tenant_less_changes_nobody_else(index: int) -> None:
    before = registry_of(STACK).tenants
    rest = [t for i, t in enumerate(before) if i != index]
    after = deploy(edited(STACK, rest))
    assert changed(deployed(STACK), after, [t.id for t in rest]) == []
    assert belonging(after, before[index].id) == {}


def test_the_order_of_tenants_means_nothing() -> None:
    shuffled = registry_of(STACK).tenants[::-1]
    cell = plan_cell(settings_of(STACK), replace(registry_of(STACK), tenants=shuffled))
    after = deploy(cell)
    assert {r.key: r for r in after.resources} == {r.key: r for r in deployed(STACK).resources}


edits = st.sampled_from(["name", "key_rotation_days", "tags", "plan", "contacts"])


@pytest.mark.slow  # as in test_generated.py, but with all tenants of the stack
@settings(max_examples=12)
@given(st.integers(0, 5), edits, st.integers(90, 2560))
def test_any_edit_of_a_tenant_changes_nobody_else(index: int, field: str, number: int) -> None:
    values = {
        "name": f"Renamed {number}",
        "key_rotation_days": number,
        "tags": {"segment": f"s{number}"},
        "plan": "premium",
        "contacts": Contacts(email=f"ops{number}@elsewhere.example"),
    }
    before = list(registry_of(STACK).tenants)
    before[index] = replace(before[index], **{field: values[field]})
    after = deploy(edited(STACK, before))
    others = [t.id for i, t in enumerate(before) if i != index]
    assert changed(deployed(STACK), after, others) == []
