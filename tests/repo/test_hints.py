"""Whatever command a message of the program names is one: the parser takes it, with its arguments."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from devtools.summary_table import VIEWS
from tests.cells import PROJECT, ROOT
from tests.repo.typed_commands import commands_in, refusal

ROOMS = ("cli", "config", "devtools", "organization", "plan", "policies", "recovery", "sandbox", "tenants")
# What stands in place of what a message fills in, by a word of the expression.
FILLED = {"stack": "dev", "out": "audit", "seal": "0" * 64, "home": "silo", "name": "dev", "root": "x"}
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
            yield "".join(
                _filled(v) if isinstance(v, ast.FormattedValue) else str(v.value) for v in node.values
            )  # type: ignore[attr-defined]
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings | inner
        ):
            yield node.value.replace("{stack}", "dev")


def _filled(value: ast.FormattedValue) -> str:
    words = ast.unparse(value.value)
    return next((sample for word, sample in FILLED.items() if word in words), "acme-pay")


def hints() -> dict[str, str]:
    """Command → a file whose message names it."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for text in strings(file):
                found |= {
                    command: str(file.relative_to(ROOT))
                    for command in commands_in(text)
                    if command != NO_COMMAND
                }
    return found


def test_every_command_that_a_message_names_is_taken_by_the_parser() -> None:
    found = hints()
    refused = {f"{file}: {wrong}" for command, file in found.items() if (wrong := refusal(command))}
    assert refused == set()
    assert {"tenants check dev", "tenants ledger update dev", "tenants list --stack dev"} <= found.keys()
    assert len(found) > 12


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
