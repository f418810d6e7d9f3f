"""A tenant moves on the real engine, by editing the registry: stage by stage, a run each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from pg8000.native import Connection

from cli.sandbox.psql import login
from tests.data.writers import LEDGER, Writer
from tests.engine.live import OTHER, POOLED, SHARED, Live
from tests.engine.workspace import Run


class Lived:
    """A tenant as a writer knows it."""

    def __init__(self, live: Live, tenant: str) -> None:
        self.live, self.tenant = live, tenant

    @contextmanager
    def session(self) -> Iterator[Connection]:
        with self.live.session(self.tenant) as session:
            yield session


def taken(live: Live, run: Run) -> Mapping[str, Any]:
    """What the stage told; nobody else's resources were touched, and none was replaced."""
    assert run.status == 0, run.output
    foreign = [s.name for s in run.changes if POOLED not in s.name and not s.name.startswith(SHARED)]
    assert foreign == []
    assert run.counts.keys() <= {"create", "update", "delete"}
    return live.outputs()["moves"].get(POOLED, {})


def home(live: Live) -> str:
    return login(live.service, POOLED, live.stack).instance.name


@pytest.mark.slow
def test_a_pooled_tenant_moves_to_a_silo_while_everybody_writes(live: Live) -> None:
    before = live.state()
    for tenant in (POOLED, OTHER):
        live.psql(tenant, LEDGER)
    with Writer(Lived(live, POOLED)) as writer, Writer(Lived(live, OTHER), seed=1) as other:
        answer = taken(live, live.step("move", POOLED, "--to", "silo", "--soak-days", "0"))
        assert (answer["stage"], answer["serves"]) == ("prepare", "origin")
        assert taken(live, live.step("move", POOLED))["copied"]
        assert home(live) == "tenantry-dev-shard-a"
        answer = taken(live, live.step("move", POOLED))
        assert (answer["serves"], home(live)) == ("target", "tenantry-dev-silo-amber-pay")
        assert 0 < answer["readOnlySeconds"] < 60
        assert taken(live, live.step("move", POOLED))["stage"] == "soak"
        dump = taken(live, live.step("move", POOLED))["dump"]
        assert taken(live, live.step("move", POOLED)) == {}
    for tenant, who in ((POOLED, writer), (OTHER, other)):
        assert who.wrong is None
        with live.session(tenant) as session:
            who.check(session.run("SELECT id, said FROM ledger"))
    assert dump["key"].startswith("moves/amber-pay-origin-")
    assert "does not exist" in live.psql(OTHER, "SELECT * FROM t_amber_pay.ledger")
    again = live.preview()
    assert again.changes == (), again.output
    kept = {r["urn"] for r in before} - {r["urn"] for r in live.state()}
    assert {urn.rsplit("::", 1)[1] for urn in kept} == {"amber-pay-tenant-place-shard-a"}


@pytest.mark.slow
def test_a_move_that_is_aborted_leaves_the_tenant_where_it_was(live: Live) -> None:
    live.psql(POOLED, LEDGER)
    live.psql(POOLED, "INSERT INTO ledger (said) VALUES ('kept')")
    for words in (("--to", "silo"), (), ("--abort",), ()):
        taken(live, live.step("move", POOLED, *words))
    assert home(live) == "tenantry-dev-shard-a"
    assert "kept" in live.psql(POOLED, "SELECT said FROM ledger")
    stages_that_were_not_run(live)
    assert "kept" in live.psql(POOLED, "SELECT said FROM ledger")
    assert [r.id for r in live.cloud().all("aws:rds/instance:Instance") if "amber-pay" in r.urn] == []


def stages_that_were_not_run(live: Live) -> None:
    """Registry and ledger say that it has moved, and no stage of it was run: it stays with its rows."""
    files = [live.project / "tenants" / name for name in ("dev.yaml", "ledger/dev.yaml")]
    before = [f.read_text("utf-8") for f in files]
    registry, ledger = before
    files[0].write_text(registry.replace("isolation: pool", "isolation: silo", 1), "utf-8")
    line = next(x for x in ledger.splitlines() if x.startswith(f"  {POOLED}: "))
    place = next(x for x in ledger.splitlines() if x.endswith(f": {POOLED}"))
    gone = ledger.replace(line, f"  {POOLED}: {{isolation: silo}}").replace(f"{place}\n", "")
    files[1].write_text(gone, "utf-8")
    run = live.up()
    assert run.status != 0
    assert f"{POOLED} lives at tenantry-dev-shard-a, and tenantry-dev-silo-{POOLED} has none of" in run.output
    for file, text in zip(files, before, strict=True):
        file.write_text(text, "utf-8")
    run = live.up()
    assert run.status == 0, run.output
