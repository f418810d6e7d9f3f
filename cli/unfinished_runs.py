"""Finds tenants whose last recorded stage was not carried out by a run.

The ledger says what the last run was asked to do, because a run may fail half-way. The stack's outputs say
what a run finished. If they differ, the function of the next stage would refuse it, and registry and ledger
would have to be reverted.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cli.stack_outputs import UNKNOWN, outputs, outputs_of_tenant
from tenants.files import ledger_file, registry_file, relative
from tenants.models import Placement, Tenant
from tenants.phases import EVENTS, LEAVING, MOVING, PHASES, TRANSITIONS, Phase, Process, transition_between

# What the outputs say, and the phase that it means: itself, or the word of the function that carries it out.
CARRIED_OUT: Final[Mapping[str, Phase]] = {str(p): p for p in Phase} | {
    row.request: p for p, row in PHASES.items() if row.request
}


TENANTS: Final = "tenants"  # the output that tells of all that are served or suspended


def output_of(phase: Phase) -> str:
    """The stack's output that tells of a tenant in this phase."""
    return str(phase.row.process) or TENANTS


def unfinished_runs(
    root: Path, stack: str, placements: Mapping[str, Placement], ids: Sequence[str]
) -> list[str]:
    """Why tenants cannot go on, a sentence each; empty also where no engine can be asked."""
    names = {output_of(placements[i].phase) for i in ids if i in placements}
    reported = {name: outputs(root, stack, name) for name in sorted(names)}
    found = [
        unfinished_run(root, stack, i, placements[i], reported[output_of(placements[i].phase)])
        for i in ids
        if i in placements
    ]
    return [sentence for sentence in found if sentence]


def unfinished_run(
    root: Path, stack: str, id_: str, placement: Placement, reported: Mapping[str, Any] | None
) -> str | None:
    """What of a tenant's ledger was not carried out, and what to do; `reported`: the output of its phase."""
    recorded, output = placement.phase, outputs_of_tenant(reported, id_)
    if output is UNKNOWN:
        return None
    if output is None and recorded.row.process is Process.SERVICE:
        return (
            f"no run has come to its end since {id_} was onboarded; run pulumi up -s {stack} until one does"
        )
    reached = _reached(recorded, output)
    if reached is None:
        return None
    if reached is recorded:
        return _other_key(stack, placement, output or {})
    last = f"the last that did left {id_} at {reached}"
    if transition_between(reached, recorded) or _led_back(reached, recorded):
        return (
            f"the run of {recorded} has not come to its end, {last}; run pulumi up -s {stack} until it does,"
            " before the next stage"
        )
    follows = " or ".join(str(a.after) for a in TRANSITIONS if a.before is reached)
    files = [relative(root, path(root, stack)) for path in (registry_file, ledger_file)]
    return (
        f"{recorded} was taken before the run of the stage before it had come to its end: {last}, after which"
        f" comes {follows}; take {id_} back to that in {' and '.join(files)}, as git has it"
        f" (git log -p -- {files[1]}), and run pulumi up -s {stack}"
    )


def _other_key(stack: str, placement: Placement, output: Mapping[str, Any]) -> str | None:
    """Only who is served has the number of its key told; of who leaves, `key` is which one is destroyed."""
    if output_of(placement.phase) != TENANTS or output.get("key", placement.key) == placement.key:
        return None
    return (
        f"the run that gives it key {placement.key} has not come to its end, {output['key']} is in use; run"
        f" pulumi up -s {stack} until it does"
    )


def unfinished_run_of(
    root: Path, stack: str, tenant: Tenant, placement: Placement | None
) -> tuple[str | None, bool]:
    """What was not carried out of the tenant's entry in the registry, and whether anybody could be asked."""
    if placement is None and not tenant.phase.row.placed:
        return _certificate(root, stack, tenant)
    if placement is None or placement.phase is not tenant.phase:
        recorded = f"the last run recorded {placement.phase}" if placement else "no run has seen it"
        return f"{tenant.phase} was not run yet, {recorded}; run pulumi up -s {stack}", True
    reported = outputs(root, stack, output_of(placement.phase))
    return unfinished_run(root, stack, tenant.id, placement, reported), reported is not None


def _certificate(root: Path, stack: str, tenant: Tenant) -> tuple[str | None, bool]:
    """Of who was erased, and has no place any more: whether that was certified."""
    output = outputs_of_tenant(outputs(root, stack, output_of(tenant.phase)), tenant.id)
    if not output or (reached := _reached(tenant.phase, output)) is tenant.phase:
        return None, output is not UNKNOWN
    return (
        f"the run of {tenant.phase} has not come to its end, the last that did left {tenant.id} at {reached};"
        f" run pulumi up -s {stack} until it does"
    ), True


def _led_back(reached: Phase, recorded: Phase) -> bool:
    """Whether a stage that failed is being undone, as it may be."""
    failed = [a.after for a in TRANSITIONS if a.before is reached and EVENTS[a.event].leads_on]
    return any(
        a.before in failed and a.after is recorded and not EVENTS[a.event].leads_on for a in TRANSITIONS
    )


def _reached(recorded: Phase, output: Mapping[str, Any] | None) -> Phase | None:
    """The phase that a run has brought to its end; None where what was said is no phase's word."""
    if output is None:
        return Phase.SUSPENDED if recorded in LEAVING else Phase.ACTIVE
    return CARRIED_OUT.get(str(output.get("phase") or output.get("stage")))


def output_to_read(tenant: Tenant, placement: Placement | None) -> str | None:
    """The output that `--status` looks at; None where nothing would be told, and nobody is asked."""
    phases = {tenant.phase, *([placement.phase] if placement else [])}
    if phases & MOVING:
        return str(Process.MOVE)
    return str(Process.OFFBOARDING) if phases & LEAVING else None
