"""`tenantry policy`: the guardrails, outside the engine. The code of a command loads when it runs."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import Json, complete_deployable
from cli.running import group, run
from policies import HERE

app: Final = group("Guardrails over a saved preview or a stack's state.")

HOW: Final = "From `pulumi preview --json --show-sames > FILE`, `--event-log FILE` or `pulumi stack export`."
Saved = Annotated[Path, typer.Argument(metavar="FILE", help=HOW)]
MaybeSaved = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help=f"{HOW} Without, the engine on PATH makes a preview.")
]
Examples = Annotated[bool, typer.Option("--examples", help="Try each technique on its bad example.")]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        help="Whose settings hold, where the file does not say; whose preview is made, without a file.",
        autocompletion=complete_deployable,
    ),
]
ExceptionsFile = Annotated[Path, typer.Option("--exceptions", help="What may be otherwise, until when.")]
ApprovalsFile = Annotated[Path, typer.Option("--approvals", help="What may be replaced or deleted.")]
State = Annotated[
    Path | None, typer.Option("--state", help="The stack's state, for what depends on what in an event log.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why it may go, 20 characters or more.")]
Owner = Annotated[str, typer.Option("--owner", help="Mail address of who answers for it.")]
Days = Annotated[int, typer.Option("--days", min=1, max=30, help="Days that the approvals hold.")]
Out = Annotated[Path, typer.Option("--out", help="A new folder.")]
Bundle = Annotated[Path, typer.Argument(metavar="FOLDER", help="What `evidence` wrote.")]
Seal = Annotated[str | None, typer.Option("--seal", help="The seal that was noted elsewhere.")]
Only = Annotated[list[str] | None, typer.Option("--rule", help="Only these rules.")]


@app.command()
def check(
    file: Saved,
    stack: Stack = None,
    rules: Only = None,
    exceptions: ExceptionsFile = HERE / "exceptions.yaml",
    json: Json = False,
) -> None:
    """Judge a plan by every rule: what fails, what cannot be told yet, what is allowed until when."""
    from policies.checking import check

    raise typer.Exit(check(file, stack, rules, exceptions, as_json=json))


@app.command()
def gate(
    file: Saved,
    approvals: ApprovalsFile = HERE / "approvals.yaml",
    state: State = None,
    json: Json = False,
) -> None:
    """Refuse a plan that replaces or deletes what holds data, unless that very thing was approved."""
    from policies.gate import gate

    raise typer.Exit(gate(file, approvals, state, as_json=json))


@app.command()
def approve(
    file: Saved,
    reason: Reason,
    owner: Owner,
    days: Days = 7,
    state: State = None,
    approvals: ApprovalsFile = HERE / "approvals.yaml",
) -> None:
    """Approve all that the gate refuses in a plan, a thing each, for some days; review it as a change."""
    from policies.approvals import ApprovalDetails, approve

    raise typer.Exit(approve(file, approvals, state, ApprovalDetails(reason, owner, days)))


@app.command()
def evidence(
    out: Out,
    file: MaybeSaved = None,
    stack: Stack = None,
    exceptions: ExceptionsFile = HERE / "exceptions.yaml",
) -> None:
    """Write a dated bundle that an auditor can read and a machine can verify."""
    from cli.policy_evidence import evidence

    raise typer.Exit(evidence(file, stack, out, exceptions))


@app.command()
def verify(folder: Bundle, seal: Seal = None) -> None:
    """Say whether anything in a bundle of evidence was changed."""
    from cli.policy_evidence import check_bundle

    raise typer.Exit(check_bundle(folder, seal))


@app.command()
def controls(
    file: MaybeSaved = None,
    stack: Stack = None,
    exceptions: ExceptionsFile = HERE / "exceptions.yaml",
    json: Json = False,
) -> None:
    """Print the control matrix: what serves each control, and what the rules say of a plan."""
    from cli.policy_evidence import show_controls

    raise typer.Exit(show_controls(file, stack, exceptions, as_json=json))


@app.command()
def rules(json: Json = False) -> None:
    """List the rules."""
    from policies.checking import list_rules

    raise typer.Exit(list_rules(as_json=json))


@app.command()
def escalation(
    file: MaybeSaved = None,
    stack: Stack = None,
    json: Json = False,
    examples: Examples = False,
) -> None:
    """List every way from a workload's or a tenant's role to more than it has."""
    from cli.policy_escalation import escalation, try_examples

    raise typer.Exit(try_examples(as_json=json) if examples else escalation(file, stack, as_json=json))


def main() -> None:
    run(app, "python -m policies")
