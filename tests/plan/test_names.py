"""Names are found again, fit their service, and no two of a cell are one."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan import CellPlan, plan_cell
from plan.names import LIMITS, Names, fit, sql_name
from tenants.lifecycle.edit_checks import placement_of
from tenants.models import Contacts, Isolation, Ledger, Overrides, Registry, Tenant
from tests.cells import settings_of
from tests.strategies import DAY, ids, plans, registries

NAMES = Names("prod", "444455556666")
parts = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,60}){0,8}", fullmatch=True)


@given(st.sampled_from(sorted(LIMITS)), st.lists(parts, min_size=1, max_size=4))
def test_every_name_fits_its_kind_and_begins_with_project_and_stack(kind: str, found: list[str]) -> None:
    for name in (NAMES.label(kind, *found), NAMES.path(kind, *found)):
        assert len(name) <= LIMITS[kind]
        assert re.match(r"tenantry[-/]prod[-/]", name)
        assert not name.endswith(("-", "/"))


@given(st.integers(20, 80), st.sets(parts, min_size=2, max_size=20))
def test_cut_names_stay_different(limit: int, found: set[str]) -> None:
    assert len({fit(name, limit) for name in found}) == len(found)


@given(st.text("abc", max_size=40))
def test_what_fits_is_left_alone(name: str) -> None:
    assert fit(name, 40) == name


def test_a_cut_without_a_hash_would_join_two_tenants() -> None:
    one, two = "a" * 60 + "-one", "a" * 60 + "-two"
    assert one[:60] == two[:60]
    assert fit(one, 60) != fit(two, 60)


def test_a_bucket_names_the_account() -> None:
    assert NAMES.bucket("t", "acme") == "tenantry-prod-t-acme-444455556666"


@given(st.sets(ids, min_size=1, max_size=30))
def test_roles_in_sql_are_plain_identifiers_and_never_shared(found: set[str]) -> None:
    names = [sql_name(i) for i in found]
    assert len(set(names)) == len(found)
    # PostgreSQL cuts at 63 bytes; pg_ and the administrator's own name are taken.
    assert all(re.fullmatch(r"t_[a-z][a-z0-9_]{0,60}", n) for n in names)


@pytest.mark.parametrize("bad", ["", "Acme", "acme_pay", "1acme", "acme;--", 'a"b', "acmé"])
def test_what_is_no_tenant_id_never_becomes_sql(bad: str) -> None:
    with pytest.raises(ValueError, match="not a tenant id"):
        sql_name(bad)


def named(cell: CellPlan) -> Iterator[tuple[str, str]]:
    """(kind, name) of everything that a plan names in one name space of AWS."""
    databases = [cell.monolith_database, cell.reports_database, *cell.shards]
    databases += [silo for t in cell.tenants for silo in t.silos]
    for database in databases:
        yield "database", database.identifier
        yield from (("database", reader) for reader in database.readers.values())
        yield from (("log-group", group) for group in database.log_groups.values())
    for tenant in cell.tenants:
        n = tenant.names
        yield from (("bucket", n.bucket), ("role", n.role), ("topic", n.topic), ("alias", n.key_alias))
        yield from (("secret", n.database_secret), ("secret", n.webhook_secret), ("sql", n.sql))
        yield from (("api key", n.api_key), ("parameter", n.catalog))
        yield from (("network", network.name) for network in tenant.networks)


@given(registries())
def test_no_two_things_of_a_cell_have_one_name(registry: Registry) -> None:
    counts = Counter(named(plan_cell(settings_of("prod"), registry)))
    assert [key for key, count in counts.items() if count > 1] == []


@given(registries())
def test_two_stacks_of_one_account_share_no_name(registry: Registry) -> None:
    one, two = (
        {
            name
            for kind, name in named(plan_cell(settings_of(stack), registry))
            if kind not in {"sql", "network"}
        }
        for stack in ("dev", "prod")
    )
    assert not one & two


def test_a_silo_and_a_reader_of_another_silo_never_meet() -> None:
    """`silo-abc` with readers a and b, and the silo of a tenant whose name is made to look like one."""
    abc = Tenant(
        id="abc",
        name="ABC",
        isolation=Isolation.SILO,
        residency="eu",
        plan=min(plans()),
        contacts=Contacts(email="ops@abc.example"),
        overrides=Overrides(report_replicas=2),
    )
    for look_alike in ("abc-reader-a", "abc-a", "reader-a", "reader-a-abc", "reader-a-silo-abc"):
        other = replace(abc, id=look_alike, overrides=Overrides())
        ledger = Ledger(placements={t.id: placement_of(t, None, DAY) for t in (abc, other)})
        registry = Registry(stack="prod", tenants=(abc, other), plans=plans(), ledger=ledger)
        counts = Counter(named(plan_cell(settings_of("prod"), registry)))
        assert max(counts.values()) == 1
