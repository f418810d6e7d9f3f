"""Writes docs/tenant-lifecycle.md from the phases (`make generate`)."""

from collections.abc import Iterable
from pathlib import Path

from tenants.phases import DEPLOYABLE, EVENTS, MOVING, PHASES, TRANSITIONS, Transition

PAGE = Path(__file__).parents[2] / "docs" / "tenant-lifecycle.md"

COPIES = (
    "## A move by copy",
    "",
    "`move ID --to KIND --by copy` is for what logical replication cannot carry: tables without a primary",
    "key, unlogged tables, a source without `wal_level = logical`. Its stages differ so:",
    "",
    "| phase | of a move by copy |",
    "| --- | --- |",
    *(f"| {p} | {row.offline_copy} |" for p, row in PHASES.items() if row.offline_copy),
    "",
)
RESTORES = (
    "## A restore is a move",
    "",
    "`restore ID --at 2026-11-27T10:00:00Z` begins a move whose target is an instance made from the backups",
    "of the tenant's own one, as it was then, under the same key. Its stages are taken by `move ID`, its",
    "ends by `--abort` and `--rollback`, and mean what they mean above, with these differences:",
    "",
    "| phase | of a restore |",
    "| --- | --- |",
    *(f"| {p} | {row.restore} |" for p, row in PHASES.items() if row.restore),
    "",
    "A shard cannot go back without everybody else on it. So a tenant of the pool gets an instance of its",
    "own, under its own key, and beside it stands, for as long as the move is on, its shard as it was then.",
    "All tenants are shut out of that one in `prepare`; in `replicate` this tenant's schema alone is copied",
    "from it and compared row by row; `cutover` leads the services over. `move ID --to pool` leads back.",
    "",
)


def render() -> str:
    """The whole page."""
    return "\n".join(
        [
            "# The life of a tenant",
            "",
            "<!-- Written by `make generate` from tenants/phases.py; a test compares them. -->",
            "",
            "Each arrow is one change of the registry, reviewed, and one run of `pulumi up`. The commands",
            "write the change; anything else is refused before the engine starts.",
            "",
            f"A run deploys {', '.join(sorted(DEPLOYABLE))}.",
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
            "| from | to | command: `python -m tenants …` | only if |",
            "| --- | --- | --- | --- |",
            *(f"| {a.before} | {a.after} | `{EVENTS[a.event].command}` | {a.only_if} |" for a in TRANSITIONS),
            "",
            "## What each phase means",
            "",
            "| phase | means | creates | keeps | may remove | way back | shown by |",
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
