"""The PostgreSQL that is tested is the one that is deployed, and what another one left is not started."""

import pytest

from plan.data.databases import ENGINE_VERSION
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.postgres_programs import VERSION
from tests.data.server import running
from tests.sandbox.databases import GIVEN, Place

EXTENSIONS = ("btree_gist", "citext", "hstore", "ltree", "pg_trgm", "pgcrypto", "postgres_fdw", "uuid-ossp")


def test_databases_of_the_sandbox_and_of_the_tests_have_the_major_version_that_is_deployed(
    place: Place,
) -> None:
    instance = place.service.instances.cluster(place.instance("one", **GIVEN))
    with running() as server:
        [[of_tests]] = server.rows("postgres", "SHOW server_version")
    [[of_sandbox]] = instance.run("SHOW server_version")
    assert of_sandbox == of_tests == VERSION
    assert VERSION.partition(".")[0] == ENGINE_VERSION


def test_extensions_of_rds_that_tenants_use_are_there(place: Place) -> None:
    instance = place.service.instances.cluster(place.instance("one", **GIVEN))
    instance.run(*(f'CREATE EXTENSION "{name}"' for name in EXTENSIONS))
    made = {name for [name] in instance.run("SELECT extname FROM pg_extension")}
    assert set(EXTENSIONS) <= made


def test_data_of_an_earlier_major_version_are_named_and_kept(place: Place) -> None:
    instance = place.service.instances.cluster(place.instance("one", **GIVEN))
    instance.stop()
    (instance.data / "PG_VERSION").write_text("16\n", encoding="utf-8")
    with pytest.raises(DataPlaneError, match=r"are of PostgreSQL 16, .*`make clean`"):
        instance.start()
    assert (instance.data / "base").exists()
