"""A new cell before its images, with an image that is not there, and with one that is."""

import re
from pathlib import Path

import pytest

from cli.sandbox.push import push
from sandbox.aws.refusals.compute import SERVICE
from sandbox.aws.refusals.soft_deletes import REPOSITORY
from tests.engine.deployed import small
from tests.engine.workspace import Workspace

pytestmark = pytest.mark.slow


def name_image(space: Workspace, service: str, image: str) -> None:
    """Write the image of a service into the stack's file."""
    path = space.project / "Pulumi.dev.yaml"
    text = path.read_text("utf-8")
    changed = re.sub(rf"(tenantry:{service}Image:) .*", rf"\g<1> {image}", text)
    assert changed != text
    path.write_text(changed, "utf-8")


def running(space: Workspace) -> list[str]:
    return sorted(str(r.outputs["name"]) for r in space.cloud().in_region(SERVICE))


def test_a_new_cell_comes_up_before_its_images_and_runs_them_once_they_are_pushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = Workspace(tmp_path, "dev")
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(cell.sandbox))
    small(cell)
    for service in ("monolith", "reports"):
        name_image(cell, service, "none")
    run = cell.up()
    assert run.status == 0, run.output
    assert running(cell) == []
    assert cell.preview().changes == ()
    urls = cell.outputs()["repositories"]
    assert urls["monolith"] == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/tenantry/dev/monolith"

    name_image(cell, "monolith", f"{urls['monolith']}@sha256:{'d' * 64}")
    run = cell.up()
    assert run.status != 0
    assert "No rollback candidate was found to run the rollback." in run.output
    name_image(cell, "monolith", push("monolith", "dev"))
    run = cell.up()
    assert run.status == 0, run.output
    assert running(cell) == ["tenantry-dev-monolith"]
    assert cell.preview().changes == ()
    assert len(cell.cloud().in_region(REPOSITORY)) == 2, "it keeps its repository, and reports has one too"
