"""What an owner can make is the same at the target, as pg_dump words it, or is refused by name at once."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.common.database_endpoint import MoveError
from tests.data.dumped import dumped
from tests.data.moving import Journey
from tests.data.rich import rows_of
from tests.data.server import Server
from tests.data.universe import COPIED, MOVED, REFUSED

EXAMPLES = 2  # two moves each; `make test-random` draws others
BY_COPY: Mapping[str, Any] = {"by": "copy"}


def with_schema(server: Server, other: Server, folder: Path, fragments: Iterable[Sequence[str]]) -> Journey:
    found = Journey({"origin": server, "target": other}, folder)
    statements = ["SELECT 1", *(s for fragment in fragments for s in fragment)]
    found.run(*(s.replace("{role}", found.role).replace("{other}", "pg_monitor") for s in statements))
    return found


def at(journey: Journey, name: str) -> set[str]:
    return dumped(journey.servers[name], journey.database, journey.role)


def assert_moved(journey: Journey, how: Mapping[str, Any]) -> None:
    """As far as the switch; both ends are the same then."""
    before = at(journey, "origin"), rows_of(journey, "origin")
    for stage in ("prepare", "replicate", "cutover"):
        journey.go(stage, **how)
    after = at(journey, "target"), rows_of(journey, "target")
    assert before[0] - after[0] == set()
    assert after[0] - before[0] == set()
    assert before[1] == after[1]
    journey.go("done", **how)
    assert [journey.left(name) for name in journey.servers] == [[], []]


@pytest.mark.parametrize("how", [{}, BY_COPY], ids=["following", "copy"])
@pytest.mark.parametrize("kind", MOVED)
def test_each_kind_is_moved(
    server: Server, other: Server, tmp_path: Path, kind: str, how: Mapping[str, Any]
) -> None:
    assert_moved(with_schema(server, other, tmp_path, [MOVED[kind]]), how)


@pytest.mark.parametrize("kind", COPIED)
def test_what_cannot_be_followed_is_refused_by_name_and_copied(
    server: Server, other: Server, tmp_path: Path, kind: str
) -> None:
    journey = with_schema(server, other, tmp_path, [COPIED[kind]])
    with pytest.raises(MoveError, match=f"cannot be moved: .*{kind}"):
        journey.go("prepare")
    assert_moved(journey, BY_COPY)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_neither_carries_is_refused_by_name(
    server: Server, other: Server, tmp_path: Path, kind: str
) -> None:
    journey = with_schema(server, other, tmp_path, [REFUSED[kind]])
    for how in ({}, BY_COPY):
        with pytest.raises(MoveError, match=f"cannot be moved: .*{kind.partition(':')[0]}"):
            journey.go("prepare", **how)
    assert journey.serving == "origin"


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kinds=st.lists(st.sampled_from(sorted(MOVED)), min_size=4, unique=True),
    more=st.lists(st.sampled_from(sorted(COPIED)), unique=True),
)
def test_kinds_together_are_moved(
    server: Server, other: Server, tmp_path: Path, kinds: list[str], more: list[str]
) -> None:
    both = {**MOVED, **COPIED}
    assert_moved(with_schema(server, other, tmp_path, [MOVED[k] for k in kinds]), {})
    assert_moved(with_schema(server, other, tmp_path, [both[k] for k in (*kinds, *more)]), BY_COPY)


# Catalogs that no owner of a schema can write to (PostgreSQL 17, "System Catalogs", 2026-11), and why.
NOBODYS = {
    **dict.fromkeys(("pg_am", "pg_amop", "pg_amproc", "pg_opclass", "pg_opfamily"), "a superuser's"),
    **dict.fromkeys(("pg_language", "pg_transform", "pg_event_trigger"), "a superuser's"),
    **dict.fromkeys(("pg_foreign_data_wrapper", "pg_foreign_server", "pg_user_mapping"), "a superuser's"),
    **dict.fromkeys(("pg_foreign_table", "pg_extension"), "who may create in the database"),
    **dict.fromkeys(
        ("pg_namespace", "pg_publication", "pg_publication_rel"), "who may create in the database"
    ),
    "pg_publication_namespace": "a superuser's",
    **dict.fromkeys(("pg_database", "pg_tablespace", "pg_shdescription"), "the administrator's"),
    **dict.fromkeys(("pg_authid", "pg_auth_members", "pg_db_role_setting"), "of roles, not of a schema"),
    **dict.fromkeys(("pg_subscription", "pg_subscription_rel"), "pg_create_subscription's"),
    **dict.fromkeys(("pg_parameter_acl", "pg_seclabel", "pg_shseclabel"), "a superuser's"),
    **dict.fromkeys(("pg_replication_origin", "pg_conversion"), "needs a function in C, or a superuser"),
    **dict.fromkeys(("pg_ts_parser", "pg_ts_template"), "a superuser's"),
    "pg_init_privs": "of initdb and extensions",
    "pg_largeobject": "of pg_largeobject_metadata",
    **dict.fromkeys(
        ("pg_statistic", "pg_statistic_ext_data"), "what ANALYZE has found, not what somebody made"
    ),
    "pg_shdepend": "of what depends on roles",
}


def test_the_fragments_fill_every_catalog_that_an_owner_can_write_to(
    server: Server, other: Server, tmp_path: Path
) -> None:
    journey = with_schema(server, other, tmp_path, [])
    before = filled(journey)
    statements = [s for kinds in (MOVED, COPIED, REFUSED) for fragment in kinds.values() for s in fragment]
    journey.run(*(s.replace("{role}", journey.role).replace("{other}", "pg_monitor") for s in statements))
    now = filled(journey)
    same = {catalog for catalog, rows in now.items() if rows <= before[catalog]}
    assert same - NOBODYS.keys() == set(), "add a fragment, or say why nobody can"


def filled(journey: Journey) -> dict[str, int]:
    """Rows of each catalog."""
    found = journey.peek(
        "origin",
        "SELECT relname, (xpath('/row/n/text()', query_to_xml(format("
        "'SELECT count(*) AS n FROM pg_catalog.%I', relname), false, true, '')))[1]::text::int"
        " FROM pg_catalog.pg_class WHERE relkind = 'r' AND relnamespace = 'pg_catalog'::regnamespace",
    )
    return {str(name): int(rows) for name, rows in found}
