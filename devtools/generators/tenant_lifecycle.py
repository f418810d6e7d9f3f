"""Writes docs/tenant-lifecycle.md from the phases (`python -m devtools.generators.tenant_lifecycle`)."""

from collections.abc import Iterable
from pathlib import Path

from tenants.lifecycle.phases import ABOUT, ARROWS, DEPLOYABLE, MOVING, Arrow, Phase

PAGE = Path(__file__).parents[2] / "docs" / "tenant-lifecycle.md"
COMMANDS = {
    "move": "move ID --to KIND",
    "next": "move ID",
    "abort": "move ID --abort",
    "rollback": "move ID --rollback",
    "suspend": "suspend ID",
    "resume": "resume ID",
    "offboard": "offboard ID",
    "cancel": "offboard ID --cancel",
}


COPIES = (
    "## A move by copy",
    "",
    "`move ID --to KIND --by copy` is for what logical replication cannot carry: tables without a primary",
    "key, unlogged tables, a source without `wal_level = logical`. Its stages differ so:",
    "",
    "| phase | of a move by copy |",
    "| --- | --- |",
    "| prepare | what only replication asks for is not asked |",
    "| replicate | the schema is made at the new place and taken away again; no rows go |",
    "| cutover | the tenant is shut out while all rows are copied and compared; longer than the budget"
    " (`--read-only-seconds`, at most 600) it is called off, and the tenant writes again |",
    "| soak | nothing follows: the old place stays as it was left |",
    "| rollback | gives up what was written since the cutover |",
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
    "| prepare | rows are counted table by table at both places: `pulumi stack output moves` |",
    "| replicate | counted again; nothing follows: what is written from now on is not at the new place |",
    "| cutover | writes stop, the services are led over; nothing is compared, for rows are to differ |",
    "| soak | the old place stays as it was left |",
    "| rollback | gives up what was written since the cutover |",
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
            "<!-- Written by `python -m devtools.generators.tenant_lifecycle` from"
            " tenants/lifecycle/phases.py; a test compares them. -->",
            "",
            "Each arrow is one change of the registry, reviewed, and one run of `pulumi up`. The commands",
            "write the change; anything else is refused before the engine starts.",
            "",
            f"A run deploys {', '.join(sorted(DEPLOYABLE))}.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> active",
            *(f"    {_arrow(a)}" for a in ARROWS if not {a.before, a.after} & MOVING),
            "    state move {",
            *(f"        {_arrow(a)}" for a in ARROWS if {a.before, a.after} <= MOVING),
            "    }",
            *(f"    {_arrow(a)}" for a in ARROWS if len({a.before, a.after} & MOVING) == 1),
            "    erased --> [*]",
            "```",
            "",
            "| from | to | command: `python -m tenants …` | only if |",
            "| --- | --- | --- | --- |",
            *(f"| {a.before} | {a.after} | `{COMMANDS[a.event]}` | {a.only_if} |" for a in ARROWS),
            "",
            "## What each phase means",
            "",
            "| phase | means | creates | keeps | may remove | way back |",
            "| --- | --- | --- | --- | --- | --- |",
            *_phases(Phase),
            "",
            *COPIES,
            *RESTORES,
        ]
    )


def _arrow(arrow: Arrow) -> str:
    return f"{arrow.before} --> {arrow.after}: {arrow.event}"


def _phases(phases: Iterable[Phase]) -> Iterable[str]:
    for phase in phases:
        a = ABOUT[phase]
        yield f"| {phase} | {a.means} | {a.creates} | {a.keeps} | {a.removes} | {a.undo} |"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
