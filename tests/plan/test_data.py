"""Databases of a cell: sizes, places, who holds which password, what is watched."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan import plan_cell
from plan.data.alarms import Severity, plan_database_alarms, plan_reader_alarms
from plan.data.databases import (
    PARAMETERS,
    DatabasePlan,
    Master,
    Size,
    plan_monolith_database,
    plan_reports_database,
)
from plan.names import Names
from plan.network.paths import CELL_PATHS, CELL_SEGMENTS, DEDICATED_SEGMENTS
from tenants.models import Registry
from tests.cells import registry_of, settings_of
from tests.strategies import registries

PROD = settings_of("prod")
NAMES = Names("prod", PROD.account_id)
QUOTA_INSTANCES = 40  # DB instances a Region (RDS quotas, 2026-11)


def databases(registry: Registry, stack: str = "prod") -> list[DatabasePlan]:
    cell = plan_cell(settings_of(stack), registry)
    silos = [silo for t in cell.tenants for silo in t.silos]
    return [cell.monolith_database, cell.reports_database, *cell.shards, *silos]


@pytest.mark.parametrize(
    ("instance_class", "gib", "connections"),
    [
        ("db.t4g.micro", 1, 112),
        ("db.t4g.medium", 4, 450),
        ("db.r6g.large", 16, 1802),
        ("db.r6g.xlarge", 32, 3604),
        ("db.m7g.2xlarge", 32, 3604),
        ("db.r6g.16xlarge", 512, 5000),
        ("db.z1d.large", 8, 901),  # a family that nobody has told us of counts as small
    ],
)
def test_memory_and_connections_of_a_class(instance_class: str, gib: float, connections: int) -> None:
    size = Size(instance_class, 100)
    assert (size.memory_gib, size.max_connections) == (gib, connections)


@given(registries())
def test_a_source_of_replicas_never_has_a_managed_password(registry: Registry) -> None:
    """RDS refuses it (facts of AWS, 2026-11)."""
    assert [d.name for d in databases(registry) if d.replicas and d.master is Master.MANAGED] == []


def test_the_first_replica_of_the_reports_changes_no_other_thing_of_its_database() -> None:
    none, two = (plan_reports_database(replace(PROD, reports_replicas=n), NAMES) for n in (0, 2))
    assert replace(none, replicas=2) == two
    assert len(two.readers) == 2


@given(st.integers(0, 14))
def test_one_reader_more_leaves_the_others(count: int) -> None:
    fewer, more = (
        plan_reports_database(replace(PROD, reports_replicas=n), NAMES) for n in (count, count + 1)
    )
    assert fewer.readers.items() < more.readers.items()


@given(registries())
def test_every_database_stands_in_a_segment_and_group_that_a_path_leads_to(registry: Registry) -> None:
    targets = {p.target for p in CELL_PATHS}
    for database in databases(registry):
        segments = CELL_SEGMENTS if database.place.network == "cell" else DEDICATED_SEGMENTS
        assert database.place.segment in segments
        assert database.place.group in targets


@given(registries())
def test_prod_is_protected_kept_and_doubled(registry: Registry) -> None:
    for database in databases(registry):
        assert database.protect
        assert database.multi_az
        assert 7 <= database.backup_days <= 35
        assert database.size.max_storage_gib > database.size.storage_gib


@given(registries())
def test_shards_are_those_that_hold_somebody(registry: Registry) -> None:
    cell = plan_cell(PROD, registry)
    homes = {p.database_name for t in cell.tenants for p in t.places if p.silo is None}
    assert {s.name for s in cell.shards} == homes


@given(registries())
def test_silos_belong_to_their_tenants_and_nothing_else_does(registry: Registry) -> None:
    cell = plan_cell(PROD, registry)
    assert all(silo.owner == t.id for t in cell.tenants for silo in t.silos)
    assert all(s.owner is None for s in (*cell.shards, cell.monolith_database, cell.reports_database))


def test_the_committed_cells_stay_below_the_quota_of_instances() -> None:
    for stack in ("dev", "prod"):
        count = sum(1 + d.replicas for d in databases(registry_of(stack), stack))
        assert count <= QUOTA_INSTANCES


def test_parameters_are_named_once_and_tell_nobody_what_customers_do() -> None:
    values = {p.name: p.value for p in PARAMETERS}
    assert len(values) == len(PARAMETERS)
    assert values["rds.force_ssl"] == values["rds.logical_replication"] == "1"
    assert values["log_parameter_max_length"] == "0"


@given(st.sampled_from(["db.t4g.medium", "db.r6g.large", "db.m7g.4xlarge"]), st.integers(20, 65536))
def test_alarms_ring_before_the_database_is_full(instance_class: str, storage: int) -> None:
    database = replace(plan_monolith_database(PROD, NAMES), size=Size(instance_class, storage))
    alarms = {a.metric: a for a in plan_database_alarms(database)}
    assert len(alarms) == len(plan_database_alarms(database))
    assert 0 < alarms["FreeStorageSpace"].threshold < storage * 2**30
    assert 0 < alarms["DatabaseConnections"].threshold < database.size.max_connections
    assert alarms["FreeStorageSpace"].severity is Severity.PAGE
    assert ("CPUCreditBalance" in alarms) == database.size.burstable
    assert not alarms["FreeStorageSpace"].above


def test_readers_are_watched_for_what_they_lag() -> None:
    metrics = {a.metric for a in plan_reader_alarms(plan_reports_database(PROD, NAMES))}
    assert "ReplicaLag" in metrics
    assert "OldestReplicationSlotLag" not in metrics
