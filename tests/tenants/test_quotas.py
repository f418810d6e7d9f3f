"""Demand, limits, and who is the first too many."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.models import Quota, QuotaProfile
from tenants.project import Project
from tenants.quotas import Use, census, demand, increase_command, limit_of, taken_of, tenants_over_quota
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


def test_a_new_account_has_less_and_a_default_network_in_each_region() -> None:
    new = replace(committed_cell("dev"), quotas=QuotaProfile.FRESH)
    known = quotas()
    assert (limit_of(known["function-concurrency"], new), limit_of(known["fargate-vcpus"], new)) == (10, 6)
    assert [taken_of(known[id_], new) for id_ in ("networks", "internet-gateways", "buckets")] == [1, 1, 0]
    in_use = committed_cell("dev")
    assert (limit_of(known["function-concurrency"], in_use), taken_of(known["networks"], in_use)) == (1000, 0)


def test_what_was_granted_goes_before_the_profile() -> None:
    new = replace(committed_cell("dev"), quotas=QuotaProfile.FRESH)
    quota = replace(quotas()["fargate-vcpus"], raised={new.account: 32})
    assert limit_of(quota, new) == 32


@pytest.mark.parametrize(
    ("quota", "call"),
    [
        ("networks", "--service-code vpc --quota-code L-F678F1CE --desired-value 8 --region eu-west-1"),
        ("roles", "--service-code iam --quota-code L-FE177D64 --desired-value 8 --region us-east-1"),
    ],
)
def test_an_increase_is_asked_for_by_a_call(quota: str, call: str) -> None:
    use = Use(quotas()[quota], limit=5, own=4, others=3, taken=1)
    assert increase_command(use, committed_cell("dev")) == (
        f"aws service-quotas request-service-quota-increase {call}"
    )
    assert increase_command(replace(use, quota=quotas()["budgets"]), committed_cell("dev")) is None


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
