"""Lifecycle work outlasts a call, and a run: rounds, two calls at once, an `up` that ends before the work."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Final

import pytest

from cli.sandbox.psql import login
from sandbox.data_plane.executions import MACHINE, Executions
from sandbox.data_plane.secret_store import SecretStore
from sandbox.data_plane.service import FUNCTION, INVOCATION
from tests.engine.live import POOLED, Live
from tests.waiting import wait_for

MOVE: Final = f"{POOLED}-tenant-move"
MOVER, WORKER = "tenantry-dev-mover", "tenantry-dev-mover-worker"
# With so much time a worker has no patience for a copy, which is then not over in its first round.
A_ROUND: Final = 60
A_MOMENT: Final = 31  # of which a starter keeps 30 for its answer


@contextmanager
def limited(live: Live, **seconds: int) -> Iterator[None]:
    """Functions of which a call has so many seconds: `WORKER=60`."""
    cloud = live.cloud()
    rows = {name: cloud.find(FUNCTION, name)[0] for name in seconds}

    def give(times: Mapping[str, Any]) -> None:
        with cloud.change():
            for name, row in rows.items():
                cloud.update_outputs(FUNCTION, row.id, {**row.outputs, "timeout": times[name]})

    give(seconds)
    try:
        yield
    finally:
        give({name: row.outputs["timeout"] for name, row in rows.items()})


def executions(live: Live) -> list[dict[str, Any]]:
    """All of the cell's, the newest first."""
    (machine,) = live.cloud().all(MACHINE)
    with closing(SecretStore(live.service.plane.vault)) as vault:
        return Executions(vault).of_machine(machine.id)


def rounds(live: Live, stage: str) -> int:
    """Calls of the worker for a stage, by its log."""
    log = live.service.plane.logs / f"{WORKER}.log"
    return log.read_text("utf-8").count(f"tenant {POOLED}, {stage}: examined")


def home(live: Live) -> str:
    return login(live.service, POOLED, live.stack).instance.name


def take(live: Live, *words: str) -> Mapping[str, Any]:
    run = live.step("move", POOLED, *words)
    assert run.status == 0, run.output
    return live.outputs()["moves"].get(POOLED, {})


@pytest.mark.slow
def test_a_move_whose_copy_takes_rounds_and_outlasts_an_up_ends_at_the_silo(live: Live) -> None:
    live.psql(
        POOLED, "CREATE TABLE ledger AS SELECT n AS id, 'kept' AS said FROM generate_series(1, 20000) n"
    )
    live.psql(POOLED, "ALTER TABLE ledger ADD PRIMARY KEY (id)")
    take(live, "--to", "silo", "--soak-days", "0")
    assert len(executions(live)) == 1
    live.tenants_command("move", POOLED)
    with limited(live, **{MOVER: A_MOMENT, WORKER: A_ROUND}):
        run = live.up()
        assert run.status != 0
        assert "move goes on in Step Functions since" in run.output
        assert "aws stepfunctions describe-execution --execution-arn" in run.output
        going_on = executions(live)[0]
        assert (going_on["status"], len(executions(live))) == ("RUNNING", 2)
        wait_for(lambda: executions(live)[0]["status"] == "SUCCEEDED", "the execution ends without an engine")
    assert rounds(live, "replicate") > 1
    run = live.up()
    assert run.status == 0, run.output
    told = live.outputs()["moves"][POOLED]
    assert (told["stage"], told["copied"], len(executions(live))) == ("replicate", True, 2)
    assert live.preview().changes == ()
    assert take(live)["serves"] == "target"
    assert home(live) == "tenantry-dev-silo-amber-pay"
    catalog = live.cloud().find("aws:ssm/parameter:Parameter", f"/tenantry/dev/tenants/{POOLED}")[0]
    assert "silo-amber-pay" in json.loads(catalog.outputs["insecureValue"])["database"]["host"]
    two_calls_at_once_are_one_execution(live)
    assert "20000" in live.psql(POOLED, "SELECT count(*) FROM ledger WHERE said = 'kept'")


def two_calls_at_once_are_one_execution(live: Live) -> None:
    """As two runs make them, each with an attempt of its own; the work is done once."""
    cloud, service, before = live.cloud(), live.service, len(executions(live))
    (row,) = [r for r in cloud.all(INVOCATION) if r.urn.endswith(f"::{MOVE}")]
    asked = {**json.loads(row.inputs["input"]), "budgetSeconds": 59}  # other words, so another record
    record = {**asked["record"], "asked": "c" * 64}

    def invoke(attempt: str) -> Any:
        given = json.dumps({**asked, "record": {**record, "attempt": attempt}})
        answer = service.invoke_function(live.cloud(), "update", {**row.inputs, "input": given}, row.inputs)
        return json.loads(str(answer))

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(invoke, ("one", "two"))
    service.close()
    assert one == other
    assert len(executions(live)) == before + 1
