"""Whatever command a message of the program names can be typed: each is run, or asked of who would run it.

Commands of `tenantry` run on a copy of the tests' project, without an engine that changes anything; those of
`make` by `make --dry-run`; those of `pulumi` by the engine itself, with `--help` after their options.
"""

import ast
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.running import EXIT_STATUSES
from devtools.summary_table import VIEWS
from recovery.vanishing import LOOK
from tenants.phases import EVENTS
from tests.cells import EXCEPTIONS, PROJECT, ROOT
from tests.cli.test_json import ENTRY
from tests.policies.test_checking import saved
from tests.repo.named_commands import make_calls_in, make_refusal, pulumi_calls_in, pulumi_refusal
from tests.repo.typed_commands import SAMPLES, commands_in, refusal

ROOMS = ("cli", "config", "devtools", "organization", "plan", "policies", "recovery", "sandbox", "tenants")
# What stands in place of what a message fills in, by a word of the expression.
FILLED = {
    "stack": "dev",
    "out": "audit",
    "seal": "0" * 64,
    "placement_kind": "silo",
    "name": "dev",
    "root": "x",
}
FILLED |= {"LOOK": " ".join(LOOK), "VERSION": "3.0.0"}
NO_COMMAND = "sandbox root"  # what a certificate of the sandbox is called


def strings(file: Path) -> Iterator[str]:
    """The texts of a module that may be printed: no docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    inner = {v for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(map(_filled, node.values))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings | inner
        ):
            yield node.value.replace("{stack}", "dev")


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    words = ast.unparse(part)
    return next((sample for word, sample in FILLED.items() if word in words), "acme-pay")


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """Every text that may be printed, and its file."""
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    return tuple((text, str(file.relative_to(ROOT))) for file in files for text in strings(file))


def hints(calls_in: Callable[[str], Iterator[str]] = commands_in) -> dict[str, str]:
    """Command → a file whose message names it."""
    return {call: file for text, file in messages() for call in calls_in(text) if call != NO_COMMAND}


# Of the last word of a hint about a tenant, where the group is left out: `offboard --retain-until`.
SHORT = re.compile(r"(?<!tenants )\b(move|offboard|resume|restore|rotate-key) (?:ID )?(--[a-z-]+)")


def short_hints() -> dict[str, str]:
    """The same of commands that are named without `tenantry tenants`; an option's value is made up."""
    values = {"--retain-until": " 2033-12-31", "--to": " silo", "--at": " 2026-11-20T10:00:00Z"}
    return {
        f"tenants {command} acme-pay {option}{values.get(option, '')}": file
        for text, file in messages()
        for command, option in SHORT.findall(text)
    }


# ------------------------------------------------------------------ commands of tenantry


@pytest.fixture
def project_with_acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tests' project with the tenant acme-pay, and an engine that only shows a plan."""
    root = tmp_path / "project"
    shutil.copytree(PROJECT, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("STACK", raising=False)
    entry = ["acme-pay", *ENTRY, "--stack", "dev", "--root", str(root)]
    assert CliRunner().invoke(app, ["tenants", "add", *entry]).exit_code == 0
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(f"#!/bin/sh\n[ $1 = preview ] && exec cat '{saved(tmp_path)}'\nexit 1\n", "utf-8")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(tmp_path / "sandbox"))
    monkeypatch.setenv("TENANTRY_COPIES_DIR", str(tmp_path / "copies"))
    for name in ("policies.settings.ROOT", "policies.evidence.ROOT", "cli.recover.HERE"):
        monkeypatch.setattr(name, root)
    monkeypatch.setattr("cli.sandbox.coverage.PAGE", tmp_path / "coverage.md")
    monkeypatch.setattr("cli.sandbox.coverage.used", lambda _: {})
    return root


def run(command: str, root: Path) -> Result:
    """Type a command; a group's command alone is asked what it takes."""
    words = [SAMPLES.get(word, word) for word in shlex.split(command)]
    if not any(word.startswith("-") for word in words) and refusal(f"{command} --stack dev"):
        words.append("--help")
    if words[0] == "tenants" and "--help" not in words:
        words += ["--root", str(root)]
    if words[:2] == ["policy", "evidence"]:
        words += ["--exceptions", str(EXCEPTIONS)]
    return CliRunner().invoke(app, words)


def wrong_with(command: str, root: Path) -> str | None:
    """What is wrong with a hint: the parser refuses it, or it does not run to its end."""
    if wrong := refusal(command):
        return wrong
    done = run(command, root)
    if done.exit_code in EXIT_STATUSES and isinstance(done.exception, SystemExit | None):
        return None
    return f"{command}: {done.exit_code} {done.exception!r}"


@pytest.mark.parametrize("command", sorted(hints() | short_hints()))
def test_every_command_that_a_message_names_runs(command: str, project_with_acme: Path) -> None:
    assert wrong_with(command, project_with_acme) is None, run(command, project_with_acme).output


def test_hints_are_found() -> None:
    found = hints()
    assert {"tenants check dev", "tenants ledger update dev", "tenants list --stack dev"} <= found.keys()
    assert len(found) > 12
    assert {"tenants offboard acme-pay --cancel", "tenants move acme-pay --abort"} <= short_hints().keys()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("run python -m tenants lists", "there is no command lists"),
        ("run tenantry tenants list --stacks dev", "No such option: --stacks"),
        ("tenantry tenants move acme-pay --to kiosk", "'kiosk' is not one of"),
        ("run tenantry tenants ledger update dev prod also", r"\['also'\] are no stacks"),
        ("run tenantry policy approve plan.json; it wants more", "Missing parameter: reason"),
    ],
)
def test_a_command_that_is_none_is_found(text: str, says: str) -> None:
    (command,) = commands_in(text)
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(refusal(command))


def test_the_last_line_of_up_is_a_command_that_lists_the_tenants() -> None:
    (command,) = commands_in(next(v.further for v in VIEWS if v.output == "tenants").format(stack="dev"))
    listed = CliRunner().invoke(app, [*command.split(), "--root", str(PROJECT)])
    assert (listed.exit_code, "amber-pay" in listed.stdout) == (0, True)


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_of_a_tenants_life_is_a_command(event: str) -> None:
    assert refusal(f"tenants {EVENTS[event].command}") is None


# ------------------------------------------------------------------ make and pulumi


@pytest.mark.parametrize("call", sorted(hints(make_calls_in)))
def test_every_target_that_a_message_names_would_be_made(call: str) -> None:
    assert make_refusal(call) is None


@pytest.mark.parametrize("call", sorted(hints(pulumi_calls_in)))
def test_every_command_of_the_engine_that_a_message_names_is_one(call: str) -> None:
    assert pulumi_refusal(call) is None


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md"))], ids=lambda p: p.stem
)
def test_calls_of_make_and_the_engine_in_pages_that_people_follow_are_taken(page: Path) -> None:
    text = page.read_text("utf-8")
    refused = [make_refusal(c) for c in make_calls_in(text)] + [
        pulumi_refusal(c) for c in pulumi_calls_in(text)
    ]
    assert [wrong for wrong in refused if wrong] == []


def test_calls_of_make_and_the_engine_are_found() -> None:
    assert {"up STACK=dev", "generate", "env STACK=dev", "clean"} <= hints(make_calls_in).keys()
    assert {"up -s dev", "refresh --preview-only --diff", " ".join(LOOK)} <= hints(pulumi_calls_in).keys()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("run `make upp`", "No rule to make target"),
        ("bring it up first: make up STAK=dev", "the Makefile has no variable STAK"),
        ("`pulumi refresh --previews-only` shows it", "unknown flag: --previews-only"),
        ("ask the engine: pulumi stack outptu moves -s dev", "the engine has no such command"),
        ("run pulumi upp", "the engine has no such command"),
    ],
)
def test_a_call_of_make_or_the_engine_that_is_wrong_is_found(text: str, says: str) -> None:
    wrong = [make_refusal(c) for c in make_calls_in(text)] + [
        pulumi_refusal(c) for c in pulumi_calls_in(text)
    ]
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(*wrong)
