"""`tenantry policy`: the guardrails, outside the engine. The code of a command loads when it runs."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import Json, complete_deployable
from cli.running import group, run
from policies import HERE

app: Final = group("Judge a saved preview, or a stack's state, by the guardrails.")

HOW: Final = "From `pulumi preview --json --show-sames > FILE`, `--event-log FILE` or `pulumi stack export`."
Saved = Annotated[Path, typer.Argument(metavar="FILE", help=HOW)]
MaybeSaved = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help=f"{HOW} Without it, pulumi on PATH makes a preview.")
]
Examples = Annotated[bool, typer.Option("--examples", help="Try each technique on its example.")]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        help="The stack to preview, or whose settings apply if the file has none.",
        autocompletion=complete_deployable,
    ),
]
ExceptionsFile = Annotated[Path, typer.Option("--exceptions", help="File of exceptions to rules.")]
ApprovalsFile = Annotated[Path, typer.Option("--approvals", help="File of approved losses.")]
State = Annotated[
    Path | None, typer.Option("--state", help="The stack's state, to show what depends on a resource.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why it may go, 20 characters or more.")]
Owner = Annotated[str, typer.Option("--owner", help="Mail address of the person responsible.")]
Days = Annotated[int, typer.Option("--days", min=1, max=30, help="Days for which the approvals are valid.")]
Out = Annotated[Path, typer.Option("--out", help="A new folder.")]
Bundle = Annotated[Path, typer.Argument(metavar="FOLDER", help="What `evidence` wrote.")]
Seal = Annotated[str | None, typer.Option("--seal", help="The seal that you noted elsewhere.")]
Only = Annotated[list[str] | None, typer.Option("--rule", help="Only these rules.")]


@app.command()
def check(
    file: Saved,
    stack: Stack = None,
    rules: Only = None,
    exceptions: ExceptionsFile = HERE / "exceptions.yaml",
    json: Json = False,
) -> None:
    """Check a plan against every rule: what fails, what is not known yet, what is excepted."""
    from policies.checking import check

    raise typer.Exit(check(file, stack, rules, exceptions, as_json=json))


@app.command()
def gate(
    file: Saved,
    approvals: ApprovalsFile = HERE / "approvals.yaml",
    state: State = None,
    json: Json = False,
) -> None:
    """Refuse a plan that replaces or deletes something that holds data, unless it was approved."""
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
    """Approve what the gate refuses in a plan: one approval per resource, valid for some days."""
    from policies.approvals import ApprovalDetails, approve

    raise typer.Exit(approve(file, approvals, state, ApprovalDetails(reason, owner, days)))


@app.command()
def evidence(
    out: Out,
    file: MaybeSaved = None,
    stack: Stack = None,
    exceptions: ExceptionsFile = HERE / "exceptions.yaml",
) -> None:
    """Write a dated, sealed bundle of evidence for an auditor."""
    from cli.policy_evidence import evidence

    raise typer.Exit(evidence(file, stack, out, exceptions))


@app.command()
def verify(folder: Bundle, seal: Seal = None) -> None:
    """Check whether a bundle of evidence was changed."""
    from cli.policy_evidence import check_bundle

    raise typer.Exit(check_bundle(folder, seal))


@app.command()
def controls(
    file: MaybeSaved = None,
    stack: Stack = None,
    exceptions: ExceptionsFile = HERE / "exceptions.yaml",
    json: Json = False,
) -> None:
    """Print the control matrix: what serves each control, and whether the rules hold in a plan."""
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
    """List every privilege-escalation path from a workload's or a tenant's role."""
    from cli.policy_escalation import escalation, try_examples

    raise typer.Exit(try_examples(as_json=json) if examples else escalation(file, stack, as_json=json))


def main() -> None:
    run(app, "python -m policies")
