"""Demand, limits, and who is the first too many."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tenants.models import Quota
from tenants.project import Project
from tenants.quotas import census, demand, limit_of, tenants_over_quota
from tests.cells import PROJECT, registry_of
from tests.strategies import World, committed_cell, plans, worlds


def quotas() -> dict[str, Quota]:
    found, findings = Project(PROJECT).quotas
    assert not findings
    return dict(found)


def test_requests_are_those_of_all_plans() -> None:
    registry = registry_of("prod")
    prod = census(committed_cell("prod"), registry.tenants, plans(), registry.ledger)
    expected = sum(plans()[t.plan].rate_limit for t in registry_of("prod").tenants)
    assert demand(quotas()["requests-per-second"], prod) == expected > 1000


def test_a_raised_quota_counts_where_it_was_raised() -> None:
    cell = committed_cell("prod")
    quota = replace(next(iter(quotas().values())), value=5, raised={f"{cell.account}/{cell.region}": 9})
    assert limit_of(quota, cell) == 9
    assert limit_of(quota, replace(cell, region="eu-central-1")) == 5
    assert limit_of(replace(quota, raised={cell.account: 7}), replace(cell, region="eu-central-1")) == 7


@given(worlds(max_size=12), st.integers(1, 30))
def test_the_first_too_many_is_the_one_at_which_demand_passes(world: World, value: int) -> None:
    quota = replace(quotas()["db-instances"], value=value, raised={})
    ordered = list(world.registry.tenants)
    counts = [
        demand(quota, census(world.cell, ordered[:n], plans(), world.ledger)) for n in range(len(ordered) + 1)
    ]
    passed = next((n for n, taken in enumerate(counts) if taken > value), None)
    first = tenants_over_quota(quota, world.cell, value, ordered, plans(), world.ledger)
    if passed:
        assert first is ordered[passed - 1]
    else:
        assert first is None
