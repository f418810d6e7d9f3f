"""The private CA's certificates outlive nobody who signed them, and say what they are for."""

from dataclasses import replace

import pytest

from plan.names import Names
from plan.services.certificates import (
    COMMON_NAME_LIMIT,
    DAY,
    WARN_DAYS,
    CaPlan,
    CertificatePlan,
    Use,
    plan_ca,
)
from plan.services.services import internal_domain, plan_monolith, plan_reports
from plan.settings import Settings
from tests.cells import settings_of


def ca(settings: Settings) -> CaPlan:
    names = Names(settings.stack, settings.account_id)
    return plan_ca(
        settings, plan_monolith(settings, names), plan_reports(settings, names), internal_domain(names)
    )


@pytest.fixture(params=["dev", "prod"])
def plan(request: pytest.FixtureRequest) -> CaPlan:
    return ca(settings_of(request.param))


def test_no_leaf_outlives_the_certificate_that_signed_it(plan: CaPlan) -> None:
    left_at_renewal = plan.issuing_renew_hours
    assert all(leaf.valid_hours <= left_at_renewal for leaf in plan.leaves)
    assert plan.issuing_hours < plan.root_hours


def test_the_next_certificate_is_made_while_the_old_one_is_good_and_before_anybody_is_warned(
    plan: CaPlan,
) -> None:
    for leaf in plan.leaves:
        assert WARN_DAYS * DAY < leaf.renew_hours < leaf.valid_hours
    assert plan.issuing_renew_hours < plan.issuing_hours


def test_leaves_live_for_months_and_not_for_years(plan: CaPlan) -> None:
    assert max(leaf.valid_hours for leaf in plan.leaves) <= 90 * DAY


def test_servers_serve_and_the_client_calls(plan: CaPlan) -> None:
    assert {leaf.name: leaf.use for leaf in plan.leaves} == {
        "monolith-server": Use.SERVER,
        "reports-server": Use.SERVER,
        "reports-client": Use.CLIENT,
    }
    assert plan.leaf("reports-client").usages == ("digital_signature", "client_auth")


def test_who_is_called_is_who_the_certificate_names(plan: CaPlan) -> None:
    assert plan.leaf("monolith-server").dns_names[0].startswith("monolith.")
    assert len({leaf.dns_names for leaf in plan.leaves}) == len(plan.leaves)


def test_a_host_longer_than_a_common_name_is_still_named_in_full_where_it_counts() -> None:
    label = "a" * 60
    leaf = ca(replace(settings_of("prod"), domain=f"{label}.{label}.example")).leaf("reports-server")
    assert len(leaf.common_name) <= COMMON_NAME_LIMIT
    assert label in leaf.dns_names[0]


def test_a_certificate_shows_its_host_where_it_fits() -> None:
    assert CertificatePlan(name="x", dns_names=("a.example",), use=Use.SERVER).common_name == "a.example"
