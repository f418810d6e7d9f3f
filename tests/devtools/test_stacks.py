"""The engine's environment, its copies of the stacks' files, its wrapper and the guard before a destroy."""

from pathlib import Path
from typing import Any

import pytest

from devtools import destroy_guard, stacks
from devtools.call import Call
from devtools.environment import environment
from devtools.paths import ROOT
from devtools.summary_table import table
from tests.cells import PROJECT


@pytest.mark.parametrize(
    "args",
    [["-s", "dev"], ["-sdev"], ["--stack", "dev"], ["--stack=dev"], ["up", "-ys", "dev"], ["up", "-s=dev"]],
)
def test_the_stack_is_found_in_each_form_of_the_option(args: list[str]) -> None:
    assert Call(tuple(args)).stack == "dev"


@pytest.mark.parametrize(
    "args", [[], ["up", "--yes"], ["up", "--show-config"], ["-s"], ["up", "--", "-s", "x"]]
)
def test_no_stack_is_no_stack(args: list[str]) -> None:
    assert Call(tuple(args)).stack is None


def test_two_sandboxes_share_nothing_but_the_tools(tmp_path: Path) -> None:
    one, other = (environment(ROOT, tmp_path / n) for n in "ab")
    differ = {k for k in one if one[k] != other.get(k)}
    assert differ == {
        "PULUMI_BACKEND_URL",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_HOME",
        "TENANTRY_COPIES_DIR",
        "TENANTRY_SANDBOX_DIR",
        "SANDBOX_DIR",
    }
    passphrases = [Path(e["PULUMI_CONFIG_PASSPHRASE_FILE"]) for e in (one, other)]
    assert passphrases[0].read_text() != passphrases[1].read_text()
    assert passphrases[0].stat().st_mode & 0o077 == 0


def test_a_persons_own_account_is_not_taken_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "t")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    env = environment(ROOT, tmp_path)
    assert "PULUMI_ACCESS_TOKEN" not in env
    assert "AWS_PROFILE" not in env


def test_the_engines_copy_follows_the_committed_file_and_keeps_the_salt(tmp_path: Path) -> None:
    project, sandbox = tmp_path / "p", tmp_path / "s"
    (sandbox / "config").mkdir(parents=True)
    project.mkdir()
    (sandbox / "config" / "dev.salt").write_text("encryptionsalt: v1:x\n", encoding="utf-8")
    for value in ("one", "two"):
        (project / "Pulumi.dev.yaml").write_text(f"config:\n  a: {value}", encoding="utf-8")
        copy = stacks.config_file(project, sandbox, "dev")
        assert copy.read_text(encoding="utf-8") == f"config:\n  a: {value}\nencryptionsalt: v1:x\n"


def test_a_stack_without_a_file_is_refused_with_those_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(stacks.StackError, match=r"no Pulumi\.nowhere\.yaml.*dev.*prod"):
        stacks.prepare_stack(PROJECT, tmp_path, "nowhere")


@pytest.mark.parametrize(
    ("protected", "config", "expected"),
    [
        ([False, False], "false", None),
        ([True, False], "false", "1 resources hold protected data (r0)"),
        ([True] * 5, "false", "5 resources hold protected data (r0, r1, r2 and 2 more)"),
        ([], "true", "its settings protect its data"),
    ],
)
def test_protected_data_refuses_a_destroy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: list[bool], config: str, expected: str | None
) -> None:
    found: list[dict[str, Any]] = [
        {"urn": f"urn:pulumi:x::y::z::r{i}", "protect": p} for i, p in enumerate(protected)
    ]
    monkeypatch.setattr(destroy_guard, "state_resources", lambda *_: found)
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(f"config:\n  tenantry:protectData: {config}\n", encoding="utf-8")
    why = destroy_guard.destroy_refusal("x", path)
    if expected is None:
        assert why is None
    else:
        assert why is not None
        assert expected in why
        assert "nothing was deleted" in why


def test_the_table_lines_up_and_shows_what_there_is() -> None:
    lines = table([{"id": "a", "isolation": "pool", "endpoint": "host:5432"}, {"id": "long-id"}]).splitlines()
    assert lines[0].split() == ["TENANT", "ISOLATION", "NETWORK", "DATA", "TIER", "ENDPOINT", "KEY", "API"]
    assert lines[1].index("pool") == lines[0].index("ISOLATION")
    assert lines[2] == "long-id"
