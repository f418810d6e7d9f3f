"""The one command `tenantry`: help, errors, exit statuses, stacks, the folder it is called in."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.app import GROUPS, app
from cli.running import REFUSALS, group
from devtools import venv
from tests.cells import PROJECT, ROOT
from tests.team_files import guarded

SLOW = (
    "boto3",
    "components",
    "devtools.engine",
    "iam",
    "plan",
    "policies.engine",
    "pulumi",
    "recovery.engine",
)
SLOW += ("rich", "ruamel", "sandbox.data_plane", "sqlite3", "tenants.registry", "yaml")
MODULES = {"tenants": "tenants", "policies": "policy", "recovery": "recover", "sandbox": "sandbox"}
MODULES |= {"devtools": "stack"}


@pytest.fixture(autouse=True)
def no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make` names a stack in the environment of its tests."""
    monkeypatch.delenv("STACK", raising=False)


def call(*words: str) -> Result:
    return CliRunner().invoke(app, words, prog_name="tenantry")


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tenantry` as `make` writes it, in a folder whose name no `#!` can hold, beside this environment."""
    folder = tmp_path_factory.mktemp("an environment") / ".venv"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
    python.chmod(0o755)
    assert venv.write_launcher(folder) == 0
    return folder / "bin" / "tenantry"


def typed(launcher: Path, *words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    environment = guarded({k: v for k, v in os.environ.items() if k not in ("STACK", "PYTHONPATH")} | env)
    return subprocess.run(
        [launcher, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


# ------------------------------------------------------------------ help and start


def commands(of: typer.Typer, *path: str) -> Iterator[tuple[str, ...]]:
    for command in of.registered_commands:
        if not command.hidden:
            assert command.callback is not None
            yield (*path, command.name or command.callback.__name__)
    for inner in of.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, *path, inner.name or "")


ALL = sorted(commands(app))


def test_the_groups_are_those_that_are_documented() -> None:
    assert list(GROUPS) == ["tenants", "policy", "recover", "sandbox", "stack"]
    assert len(ALL) > 40


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_says_what_it_does_and_every_word_of_it_too(words: tuple[str, ...]) -> None:
    answer = call(*words, "--help")
    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"Usage: tenantry {' '.join(words)} ")
    sections = answer.stdout.split("\n\n")
    assert sections[1].strip().endswith(".")
    undescribed = [
        line
        for section in sections
        if section.startswith(("Arguments:", "Options:"))
        for line in section.splitlines()[1:]
        if line.startswith("  ") and line[2] != " " and len(line.split()) == 1 and len(line) < 20
    ]
    assert undescribed == []


def test_help_loads_nothing_that_is_slow() -> None:
    program = (
        "import sys; sys.argv = ['tenantry', '--help']\n"
        "from cli.app import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print('loaded', *sorted(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"loaded", "typer", "cli.app", "cli.sandbox.app"} <= loaded
    assert loaded & set(SLOW) == set()


@pytest.mark.parametrize("module", MODULES)
def test_each_room_runs_as_the_same_commands(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"Usage: python -m {module} ")
    theirs, ours = (
        [line.split()[0] for line in text.split("Commands:")[1].splitlines() if line.strip()]
        for text in (done.stdout, call(MODULES[module], "--help").stdout)
    )
    assert theirs == ours


# ------------------------------------------------------------------ errors and exit statuses


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("tenants", "chek"), "error: no such command 'chek'. Did you mean 'check', 'schema'?"),
        (("tenants", "check", "dve"), "error: stack dve has no registry in tenants/; "),
        (("policy", "gate", "p.json", "--aprovals", "x"), "error: no such option: --aprovals"),
        (("policy", "check"), "error: missing argument 'FILE'."),
        (("recover", "check"), "error: say which stack, as STACK or with --stack: "),
        (("stack", "up", "dev", "-s", "prod"), "error: dev and prod are two stacks; name one"),
        (("policy", "check", "no/such", "--exceptions", "x"), "error: no/such: No such file or directory"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(words: tuple[str, ...], says: str) -> None:
    refused = call(*words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    first, *more = refused.stderr.splitlines()
    assert first.startswith(says)
    assert more in ([], [f"help:  tenantry {' '.join(words[:-1])} --help"]) or more[0].startswith(
        "help:  tenantry "
    )


def test_what_is_refused_is_one_sentence_and_status_1() -> None:
    refused = call("sandbox", "clock", "--", "-3")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert (
        refused.stderr == "error: the sandbox's clock goes forward only: dates that have passed stay passed\n"
    )


@pytest.mark.parametrize(
    "words", [("stack", "refresh", "dev"), ("stack", "destroy", "dev"), ("sandbox", "push", "monolith")]
)
def test_a_profile_that_there_is_not_is_wrong_usage(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_PROFILE", "frsh")
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(tmp_path))
    (tmp_path / "cloud.sqlite").touch()  # of a run that was refused
    refused = call(*words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    says = "error: SANDBOX_PROFILE: 'frsh' is not allowed; expected one of fresh, used, raised\n"
    assert refused.stderr == says


def test_a_file_that_nobody_named_is_status_1_and_a_fault_of_the_program_is_not_hidden() -> None:
    broken = group("Commands that break.")

    @broken.command()
    def disk() -> None:
        raise OSError(28, "No space left on device", "/var/lib/x")

    @broken.command()
    def bug() -> None:
        raise ValueError("a bug")

    full = CliRunner().invoke(broken, ["disk"])
    assert (full.exit_code, full.stderr) == (1, "error: /var/lib/x: No space left on device\n")
    assert isinstance(CliRunner().invoke(broken, ["bug"]).exception, ValueError)


def test_an_interrupt_is_status_130() -> None:
    slow = group("Commands that take long.")

    @slow.command()
    def first() -> None:
        raise KeyboardInterrupt

    @slow.command()
    def second() -> None:
        """Two commands make a group."""

    interrupted = CliRunner().invoke(slow, ["first"])
    assert interrupted.exit_code == 130
    assert interrupted.stderr.splitlines()[-1].startswith("error: interrupted; ")


@pytest.mark.parametrize("name", REFUSALS)
def test_an_error_that_is_a_sentence_exists(name: str) -> None:
    module, _, found = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), found), Exception)


# ------------------------------------------------------------------ which stack, which checkout


def test_a_stack_is_named_as_an_argument_an_option_or_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(
        "devtools.operations.operate", lambda verb, stack, **_: called.append(f"{verb} {stack}") or 0
    )
    for words in (
        ("up",),
        ("up", "org"),
        ("up", "-s", "org"),
        ("up", "--stack", "org"),
        ("up", "org", "-s", "org"),
    ):
        assert call("stack", *words).exit_code == 0
    monkeypatch.setenv("STACK", "prod")
    call("stack", "up")
    call("stack", "up", "dev")
    assert called == ["up dev", *["up org"] * 4, "up prod", "up dev"]


def test_commands_over_stacks_take_all_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK", "dev")
    listed = ("tenants", "list", "--root", str(PROJECT))
    every, one = (call(*listed, *words).stdout for words in ((), ("--stack", "dev")))
    assert call(*listed, "dev").stdout == one
    assert len(every) > len(one) > 0


@pytest.mark.parametrize("folder", ["", "tenants/ledger", "cli/sandbox"])
def test_it_runs_in_any_folder_of_the_checkout(launcher: Path, checkout: Path, folder: str) -> None:
    done = typed(launcher, "tenants", "check", "dev", cwd=checkout / folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "dev: 6 tenants, nothing wrong\n"


def test_outside_of_every_checkout_it_uses_its_own(launcher: Path) -> None:
    assert typed(launcher, "tenants", "schema", "quotas", cwd=Path("/")).returncode == 0


def test_a_launcher_that_was_moved_is_written_anew(launcher: Path) -> None:
    before = launcher.read_text("utf-8")
    launcher.write_text(before.replace("python", "pyhton"), "utf-8")
    venv.write_launcher(launcher.parents[1])
    assert launcher.read_text("utf-8") == before


@pytest.mark.parametrize(
    "words",
    [
        "recover check {}",
        "recover restore {} --json",
        "recover restore --stack {}",
        "sandbox status {} --json",
        "sandbox psql acme --stack {}",
        "stack env {}",
        "stack restore {} --json",
        "stack up --stack {}",
        "tenants list {}",
    ],
)
def test_an_unknown_stack_is_wrong_usage(words: str) -> None:
    found = call(*words.format("prdo").split())
    assert found.exit_code == 2
    assert "did you mean 'prod'?" in found.stderr
    assert not found.stdout


def test_an_unknown_stack_in_the_environment_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK", "prdo")
    assert call("stack", "env").exit_code == 2
