"""What the gate says of a plan reaches the person who runs `make up` only where it is refused, or a note."""

import subprocess
from pathlib import Path

import pytest

from devtools import policy_preview


@pytest.mark.parametrize(
    ("status", "out", "err", "shown"),
    [
        (0, "no loss of data\n", "", ""),
        (
            0,
            "losses of data: 1, all approved\n",
            "note: approvals.yaml: old\n",
            "note: approvals.yaml: old\n",
        ),
        (1, "deletes the database x\n", "", "error: deletes the database x\n"),
    ],
)
def test_the_gate_is_heard_only_where_it_refuses_or_notes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    status: int,
    out: str,
    err: str,
    shown: str,
) -> None:
    done = subprocess.CompletedProcess([], status, out, err)
    monkeypatch.setattr(policy_preview.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(policy_preview, "exported_state", lambda *_: None)
    assert policy_preview.gate("dev", {}, tmp_path / "plan.json") == status
    assert capsys.readouterr() == ("", shown)
