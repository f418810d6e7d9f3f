"""Whether what the ledger remembers was carried out.

The ledger says what the last run was asked for, and has to: a run may do half of it. What a run has done that
came to its end stand in the stack's outputs. Where they differ the next stage would be refused by the
function that takes it, and registry and ledger would have to be taken back.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cli.stack_outputs import UNKNOWN, outputs, outputs_of_tenant
from tenants.files import ledger_file, registry_file, relative
from tenants.lifecycle.phases import ARROWS, LEAVING, MOVING, Phase, arrow, phase_of
from tenants.models import Home, Tenant

# Steps that lead on, and need what was asked for before; those that lead back are for when it failed.
ONWARD: Final = frozenset({"move", "next", "offboard"})
# The function's own words for what it does in a state (`plan.tenants.offboarding`); of a move they are
# the stages.
STEPS: Final[Mapping[str, Phase]] = {
    "export": Phase.EXPORTED,
    "keep": Phase.RETAINED,
    "close": Phase.CLOSING,
    "erase": Phase.ERASING,
    "certify": Phase.ERASED,
}


def output_of(phase: Phase) -> str:
    """The stack's output that tells of a tenant in this phase."""
    return "leaving" if phase in LEAVING or phase is Phase.SUSPENDED else "moves"


def unfinished_runs(root: Path, stack: str, homes: Mapping[str, Home], ids: Sequence[str]) -> list[str]:
    """Why tenants cannot go on, a sentence each; empty also where no engine can be asked."""
    names = {output_of(phase_of(homes[i])) for i in ids if i in homes}
    reported = {name: outputs(root, stack, name) for name in sorted(names)}
    found = [
        unfinished_run(root, stack, i, homes[i], reported[output_of(phase_of(homes[i]))])
        for i in ids
        if i in homes
    ]
    return [sentence for sentence in found if sentence]


def unfinished_run(
    root: Path, stack: str, id_: str, home: Home, reported: Mapping[str, Any] | None
) -> str | None:
    """What of a tenant's ledger was not carried out, and what to do; `reported`: the output of its phase."""
    recorded, output = phase_of(home), outputs_of_tenant(reported, id_)
    if output is UNKNOWN:
        return None
    reached = _reached(recorded, str(output.get("stage")) if output else None)
    if reached in (recorded, None):
        return None
    last = f"the last that did left {id_} at {reached}"
    if arrow(reached, recorded) or _led_back(reached, recorded):
        return (
            f"the run of {recorded} has not come to its end, {last}; run pulumi up -s {stack} until it does,"
            " before the next stage"
        )
    follows = " or ".join(str(a.after) for a in ARROWS if a.before is reached)
    files = [relative(root, path(root, stack)) for path in (registry_file, ledger_file)]
    return (
        f"{recorded} was taken before the run of the stage before it had come to its end: {last}, after which"
        f" comes {follows}; take {id_} back to that in {' and '.join(files)}, as git has it"
        f" (git log -p -- {files[1]}), and run pulumi up -s {stack}"
    )


def _led_back(reached: Phase, recorded: Phase) -> bool:
    """Whether a stage that failed is being undone, as it may be."""
    failed = [a.after for a in ARROWS if a.before is reached and a.event in ONWARD]
    return any(a.before in failed and a.after is recorded and a.event not in ONWARD for a in ARROWS)


def _reached(recorded: Phase, said: str | None) -> Phase | None:
    """The phase that a run has brought to its end; None where what was said is no phase's word."""
    if said is None:
        return Phase.SUSPENDED if output_of(recorded) == "leaving" else Phase.ACTIVE
    if said in STEPS:
        return STEPS[said]
    return Phase(said) if said in MOVING else None


def output_to_read(tenant: Tenant, home: Home | None) -> str | None:
    """The output that `--status` looks at; None where nothing would be told, and nobody is asked."""
    phases = {phase_of(tenant), *([phase_of(home)] if home else [])}
    if phases & MOVING:
        return "moves"
    return "leaving" if phases & LEAVING else None
