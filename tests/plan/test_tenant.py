"""A tenant's plan is its own: nobody else's entry can change it, and it says no more than its own."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from plan import CellPlan, plan_cell
from plan.names import sql_name
from plan.tenants.placement import PlacePlan
from plan.tenants.tenant import TenantPlan
from tenants.models import Isolation, NetworkMode, Registry
from tenants.phases import Phase
from tests.cells import settings_of
from tests.strategies import edited_registries, registries

PROD = settings_of("prod")


def plans(registry: Registry) -> dict[str, TenantPlan]:
    return {t.id: t for t in plan_cell(PROD, registry).tenants}


@given(edited_registries())
def test_an_edit_of_one_tenant_changes_no_other_plan(edited: tuple[Registry, Registry, str]) -> None:
    before, after, touched = edited
    old, new = plans(before), plans(after)
    assert [i for i in old.keys() & new.keys() if i != touched and old[i] != new[i]] == []
    assert old.keys() ^ new.keys() <= {touched}


@given(registries(), st.randoms(use_true_random=False))
def test_the_order_of_a_file_means_nothing(registry: Registry, shuffle: Random) -> None:
    mixed = list(registry.tenants)
    shuffle.shuffle(mixed)
    assert plan_cell(PROD, replace(registry, tenants=tuple(mixed))) == plan_cell(PROD, registry)


@given(edited_registries())
def test_who_stays_stays_where_its_data_is(edited: tuple[Registry, Registry, str]) -> None:
    before, after, _ = edited
    old, new = plans(before), plans(after)
    for i in old.keys() & new.keys():
        assert new[i].place.database_name == old[i].place.database_name
        assert new[i].names == old[i].names
        assert _identifier(new[i].place) == _identifier(old[i].place)


def _identifier(place: PlacePlan) -> str | None:
    return place.silo.identifier if place.silo else None


@given(registries(min_size=1))
def test_a_plan_names_no_other_tenant(registry: Registry) -> None:
    """By whole words of what is made for it, for an id may be a part of another."""
    found = plans(registry)
    for plan in found.values():
        words = set(str(plan.names).replace("'", "/").split("/"))
        assert not words & (found.keys() - {plan.id})


@given(registries())
def test_isolation_says_where_the_data_is(registry: Registry) -> None:
    found = plans(registry)
    for tenant in registry.tenants:
        plan = found[tenant.id]
        silo, network = plan.place.silo, plan.place.network
        assert (silo is not None) == (tenant.isolation is Isolation.SILO)
        assert (network is not None) == (tenant.network is NetworkMode.DEDICATED)
        assert plan.names.sql == sql_name(tenant.id)
        assert plan.active == (tenant.state is Phase.ACTIVE)
        assert plan.budget_usd == registry.plans[tenant.plan].budget_usd
        if silo and network:
            assert silo.place.network == network.name


@given(registries())
def test_a_full_shard_of_busy_tenants_leaves_connections_for_who_looks_after_it(registry: Registry) -> None:
    cell: CellPlan = plan_cell(PROD, registry)
    for shard in cell.shards:
        each = {p.limits.connections for t in cell.tenants for p in t.places if p.database_name == shard.name}
        assert len(each) == 1
        assert each.pop() * PROD.shard_capacity < shard.size.max_connections


@given(registries())
def test_a_silo_takes_nearly_all_of_its_own(registry: Registry) -> None:
    for plan in plans(registry).values():
        for place in plan.places:
            if place.silo:
                most = place.silo.size.max_connections
                assert most // 2 < place.limits.connections < most
