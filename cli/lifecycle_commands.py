"""What the commands of the tenant lifecycle do: move, offboard, status. Each returns its exit code."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import typer

from cli.calls_in_progress import calls_in_progress
from cli.edits import change_tenant, take_transition
from cli.output import print_json
from cli.stack_outputs import measured_lines, outputs, outputs_of_tenant
from cli.unfinished_runs import output_to_read, unfinished_run, unfinished_runs
from config.fields import FieldType, Problem
from config.text_fields import DATE
from config.yaml_tree import Scalar
from tenants.field_types import MOMENT
from tenants.lifecycle.keys import leftovers_of_earlier_keys, next_key
from tenants.lifecycle.registry_changes import TransitionOptions, status
from tenants.phases import EVENTS, TRANSITIONS, Phase, Transition
from tenants.project import Project


def move_tenant(
    root: Path, stack: str, id_: str, event: str, options: TransitionOptions, *, dry_run: bool, as_json: bool
) -> int:
    """Begin a move, or take its next stage; `event` is `abort` or `rollback` where that is asked for."""
    tenant = Project(root).entries(stack)[0].models.get(id_)
    moving = tenant.move if tenant else None
    if moving and options.to not in (None, moving.to):
        raise typer.BadParameter(f"{id_} is on its way to {moving.to}; abort that move before another")
    if moving and options.by not in (None, moving.by):
        raise typer.BadParameter(f"{id_} is on its way by {moving.by}; abort that move before another")
    event = event or ("next" if moving else "move")
    _require_carried_out(root, stack, [id_], event)
    return take_transition(root, stack, [id_], event, options, dry_run=dry_run, as_json=as_json)


def restore_tenant(
    root: Path, stack: str, id_: str, options: TransitionOptions, *, dry_run: bool, as_json: bool
) -> int:
    """Begin a restore; its stages and its ends are a move's."""
    _require_carried_out(root, stack, [id_], "move")
    return take_transition(root, stack, [id_], "move", options, dry_run=dry_run, as_json=as_json)


def offboard_tenants(
    root: Path,
    stack: str,
    ids: Sequence[str],
    options: TransitionOptions,
    *,
    cancel: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """The next stage of leaving, or the way back from the last one."""
    ids = list(dict.fromkeys(ids))  # one that is named twice is meant once
    models = Project(root).entries(stack)[0].models
    serving = all(id_ in models and models[id_].state is Phase.ACTIVE for id_ in ids)
    event = "cancel" if cancel else "suspend" if serving else "offboard"
    _require_carried_out(root, stack, ids, event)
    return take_transition(root, stack, ids, event, options, dry_run=dry_run, as_json=as_json)


def _require_carried_out(root: Path, stack: str, ids: Sequence[str], event: str) -> None:
    """A stage is taken after the run of the one before it, as far as the engine can be asked about that."""
    placements = Project(root).ledger(stack)[0].placements
    if EVENTS[event].leads_on and (found := unfinished_runs(root, stack, placements, ids)):
        raise typer.BadParameter("; ".join(found))


def rotate_key(root: Path, stack: str, id_: str, *, dry_run: bool, as_json: bool) -> int:
    """Give a tenant a new key with the next run; everything else of the change is the program's."""
    placement = Project(root).ledger(stack)[0].placements.get(id_)
    return change_tenant(
        root,
        stack,
        id_,
        lambda tenant: {"key": next_key(tenant, placement)},
        dry_run=dry_run,
        as_json=as_json,
    )


def show_keys(root: Path, stack: str, id_: str, *, as_json: bool) -> int:
    """Which key is in use, and what stays under earlier ones, with what to do about it."""
    project = Project(root)
    tenant, placement = (
        project.entries(stack)[0].models.get(id_),
        project.ledger(stack)[0].placements.get(id_),
    )
    if tenant is None or placement is None:
        raise typer.BadParameter(f"{id_} has no place yet; tenantry tenants check {stack} says why")
    left = leftovers_of_earlier_keys(tenant, placement)
    if as_json:
        answer = {
            "tenant": id_,
            "key": tenant.key,
            "recorded": placement.key,
            "left": [x.plain() for x in left],
        }
        print_json(answer)
        return 0
    print(f"{id_} in {stack}: key {tenant.key} is in use")
    if placement.key != tenant.key:
        print(f"  not run yet: the last run recorded key {placement.key}; run pulumi up -s {stack}")
    _show_going_on(calls_in_progress(stack, id_))
    for x in left:
        print(f"  under key {x.key}  {x.what}: {x.todo}")
    print(f"  {'counted     ' if left else 'keys        '}pulumi stack output keys -s {stack}")
    return 0


def day(option: str, text: str | None) -> date | None:
    """The date that an option says; a wrong one is wrong usage."""
    found = _read(DATE, option, text) if text else None
    return found if isinstance(found, date) else None


def moment(option: str, text: str) -> str:
    """The moment that an option says; a wrong one is wrong usage."""
    return str(_read(MOMENT, option, text))


def _read(type_: FieldType, option: str, text: str) -> object:
    problems: list[str] = []

    def report(problem: Problem) -> None:
        problems.append(f"{problem.wrong}; {problem.right}")

    found: object = type_.read(Scalar(text, True, 1, 1), option, report)
    if problems:
        raise typer.BadParameter(problems[0])
    return found


def show_status(root: Path, stack: str, id_: str, *, as_json: bool) -> int:
    """Where a tenant stands, what may follow and takes away, what the last run recorded and measured."""
    project = Project(root)
    tenant = project.entries(stack)[0].models.get(id_)
    if tenant is None:
        raise typer.BadParameter(f"{id_} cannot be read; tenantry tenants check {stack} says why")
    placement = project.ledger(stack)[0].placements.get(id_)
    recorded = str(placement.phase) if placement else None
    name = output_to_read(tenant, placement)
    found = outputs(root, stack, name) if name else None
    wrong = unfinished_run(root, stack, id_, placement, found) if name and placement else None
    measured = outputs_of_tenant(found, id_) if tenant.move else None
    going_on = calls_in_progress(stack, id_)
    if as_json:
        figures = {"measured": measured or None, "undone": wrong, "goesOn": dict(going_on)}
        print_json({**status(tenant), "recorded": recorded, **figures})
        return 0
    here = tenant.phase
    print(f"{id_} in {stack}: {tenant.move or here}: {here.row.means}")
    if recorded != here:
        print(f"  not run yet: the last run recorded {recorded or 'nothing'}; run pulumi up -s {stack}")
    _show_going_on(going_on)
    if wrong:
        print(f"  not carried out: {wrong}")
    _show("way back", here.row.undo)
    for arrow in TRANSITIONS:
        if arrow.before is here:
            _show_next(id_, arrow)
    for word, figure in measured_lines(measured) if measured else ():
        _show(word, figure)
    if tenant.move and not measured:
        _show("measured", f"not known here; ask the engine: pulumi stack output moves -s {stack}")
    return 0


def _show_going_on(calls: Mapping[str, str]) -> None:
    for call, progress in calls.items():
        _show("goes on", f"{call}: {progress}")


def _show(word: str, text: str) -> None:
    print(f"  {word:<11} {text}")


def _show_next(id_: str, arrow: Transition) -> None:
    """Where an arrow leads, and what is gone then."""
    after = arrow.after.row
    command = EVENTS[arrow.event].command.replace("ID", id_)
    _show("next", f"{command} leads to {arrow.after}{f', once {arrow.only_if}' if arrow.only_if else ''}")
    if after.removes != "nothing":
        _show("", f"then gone: {after.removes}; way back: {after.undo}")
