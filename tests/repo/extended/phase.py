"""The stage is offered by the commands, stands in the page, and reaches the function, which does it."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.app import app
from functions.tenant_leaving.handler import carry_out
from functions.tenant_leaving.tools import Tools
from tenants.phases import Phase
from tenants.project import Project
from tests.cells import PROJECT, ROOT
from tests.data.clouds import Clock, FakeDatabases, FakeKeys, FakeObjects, FakeSecrets
from tests.program import test_leaving as leaving

STAGE, TENANT, BUCKET = "withdrawn", "amber-pay", "tenantry-dev-handover-amber-pay-111122223333"


def tenantry(root: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["tenants", *words, "--root", str(root)])
    assert done.exit_code == 0, f"{words}: {done.output}"
    return " ".join(done.output.split())


def commands(root: Path) -> None:
    """Suspend, export, call it off, resume: each offered by the status before, and taken by the next run."""
    os.environ["TENANTRY_TODAY"] = "2026-12-01"
    shutil.copytree(PROJECT, root, dirs_exist_ok=True)
    for words in (("suspend",), ("offboard",), ("offboard", "--cancel")):
        command, *options = words
        tenantry(root, command, TENANT, *options)
        tenantry(root, "ledger", "update", "dev")  # as a run does
        if words == ("offboard",):
            result = tenantry(root, "move", TENANT, "--status")
            assert "cancel leads to withdrawn" in result, "the status offers no cancel"
    assert Project(root).ledger("dev")[0].placements[TENANT].phase is Phase(STAGE)
    assert "what was handed over is taken back" in tenantry(root, "move", TENANT, "--status")
    tenantry(root, "resume", TENANT)


def event() -> dict[str, Any]:
    """What the program sends the function in this phase."""
    leaving.STATES = (Phase(STAGE),)  # pyright: ignore[reportAttributeAccessIssue]
    (found,) = [sent for _, tenant, sent in leaving.events() if tenant == TENANT]
    return found


def outside(objects: FakeObjects) -> Tools:
    def no_database(*_: Any) -> Any:
        raise AssertionError("no database is opened")

    store: Any = no_database

    clock = Clock()
    return Tools(
        connect=no_database, store=store, keys=FakeKeys(clock), objects=objects,
        databases=FakeDatabases(), secrets=FakeSecrets(), now=clock, step=lambda _: None,
    )  # fmt: skip


def function() -> None:
    """It empties the bucket once, and finds nothing the next time."""
    objects = FakeObjects({BUCKET: []})
    for name in ("dump.sql.gz", "manifest.json"):
        objects.put(BUCKET, name, b"x")
    sent = {**event(), "lifecycle": {"action": "update", "prev_input": None}}
    assert carry_out(sent, outside(objects))["removed"] == 2
    assert objects.content(BUCKET) == {}
    assert carry_out(sent, outside(objects))["removed"] == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        commands(Path(folder))
    function()
    page = (ROOT / "docs" / "tenant-lifecycle.md").read_text("utf-8")
    assert "exported --> withdrawn: cancel" in page
    assert "| withdrawn | the tenant stays, and what was handed over is taken back |" in page
