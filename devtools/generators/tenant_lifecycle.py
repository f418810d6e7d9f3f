"""Writes docs/tenant-lifecycle.md from the table of phases: `make generate`."""

from collections.abc import Iterable
from pathlib import Path

from tenants.phases import EVENTS, MOVING, PHASES, TRANSITIONS, Transition

PAGE = Path(__file__).parents[2] / "docs" / "tenant-lifecycle.md"
COMMAND = "tenantry tenants"

COPIES = (
    "## Moves by an offline copy",
    "",
    "`tenantry tenants move ID --to KIND --by copy` is for what logical replication cannot carry: tables",
    "without a primary key, unlogged tables, a source without `wal_level = logical`. The differences:",
    "",
    "| phase | in a move by an offline copy |",
    "| --- | --- |",
    *(f"| {p} | {row.offline_copy} |" for p, row in PHASES.items() if row.offline_copy),
    "",
)
RESTORES = (
    "## Restores",
    "",
    "`tenantry tenants restore ID --at 2026-11-27T10:00:00Z` begins a move to an instance that RDS restores",
    "from the backups of the tenant's own instance, as it was at that moment, under the same key. You take",
    "its stages with `move ID`, and leave it with `--abort` or `--rollback`. The differences:",
    "",
    "| phase | in a restore |",
    "| --- | --- |",
    *(f"| {p} | {row.restore} |" for p, row in PHASES.items() if row.restore),
    "",
    "A shard cannot be restored for one tenant alone. So a pooled tenant gets an instance of its own, under",
    "its own key. Beside it, for the time of the move, RDS restores the shard. `prepare` disables all logins",
    "there; `replicate` copies this tenant's schema from it and compares every row; `cutover` switches the",
    "services. Afterwards `tenantry tenants move ID --to pool` brings the tenant back into the pool.",
    "",
)


def render() -> str:
    """The whole page."""
    return "\n".join(
        [
            "# Tenant lifecycle: phases and transitions",
            "",
            "<!-- Written by `make generate` from tenants/phases.py; a test compares them. -->",
            "",
            "Each arrow is one reviewed change of the registry and one run of `pulumi up`. The commands",
            "write the change. Any other change of a phase is refused before Pulumi starts. How to take each",
            "step, what to check and how to go back: [move](runbooks/moving-a-tenant.md),",
            "[restore](runbooks/restoring-a-tenant.md), [offboard](runbooks/offboarding-a-tenant.md).",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> active",
            *(f"    {_arrow(a)}" for a in TRANSITIONS if not {a.before, a.after} & MOVING),
            "    state move {",
            *(f"        {_arrow(a)}" for a in TRANSITIONS if {a.before, a.after} <= MOVING),
            "    }",
            *(f"    {_arrow(a)}" for a in TRANSITIONS if len({a.before, a.after} & MOVING) == 1),
            "    erased --> [*]",
            "```",
            "",
            "| from | to | command | only if |",
            "| --- | --- | --- | --- |",
            *(
                f"| {a.before} | {a.after} | `{COMMAND} {EVENTS[a.event].command}` | {a.only_if} |"
                for a in TRANSITIONS
            ),
            "",
            "## What each phase means",
            "",
            "| phase | meaning | creates | keeps | may remove | way back | proof |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *_phases(),
            "",
            *COPIES,
            *RESTORES,
        ]
    )


def _arrow(arrow: Transition) -> str:
    return f"{arrow.before} --> {arrow.after}: {arrow.event}"


def _phases() -> Iterable[str]:
    for phase, row in PHASES.items():
        cells = (phase, row.means, row.creates, row.keeps, row.removes, row.undo, row.proof)
        yield f"| {' | '.join(cells)} |"
