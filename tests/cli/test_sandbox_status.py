"""`tenantry sandbox status` says what exists, and says so too where nothing does."""

from pathlib import Path

import pytest

from cli.sandbox.status import status
from sandbox.aws.parameters import put_parameter
from sandbox.cloud.store import FILE, Store


@pytest.mark.parametrize("stack", [None, "prod"])
@pytest.mark.parametrize("emptied", [False, True], ids=["new", "emptied"])
def test_an_empty_sandbox_is_said_to_be_empty(
    stack: str | None,
    emptied: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(tmp_path))
    if emptied:
        assert Store(tmp_path / FILE, "111122223333", "eu-west-1").all() == []
        assert (tmp_path / FILE).is_file()
    assert status(stack) == 0
    assert (
        capsys.readouterr().out == f"nothing exists; `make up STACK={stack or 'dev'}` brings up the stack\n"
    )


def test_what_no_stack_made_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(tmp_path))
    put_parameter(Store(tmp_path / FILE, "111122223333", "eu-west-1"), "/tenantry/dev/calls/acme/move", "{}")
    assert status() == 0
    assert capsys.readouterr().out == "of no stack, made by functions: 1 resources in the cloud\n"
