"""Writes docs/tenant-lifecycle.md from the state machine: `python -m tools.tenant_lifecycle`."""

from collections.abc import Iterable
from pathlib import Path

from tenants.phases import ABOUT, ARROWS, DEPLOYABLE, MOVING, Arrow, Phase

PAGE = Path(__file__).parent.parent / "docs" / "tenant-lifecycle.md"
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


def render() -> str:
    """The whole page."""
    return "\n".join(
        [
            "# The life of a tenant",
            "",
            "<!-- Written by `python -m tools.tenant_lifecycle` from tenants/phases.py; a test compares. -->",
            "",
            "Each arrow is one change of the registry, reviewed, and one run of `pulumi up`. The commands",
            "write the change; anything else is refused before the engine starts.",
            "",
            f"A run of this version deploys {', '.join(sorted(DEPLOYABLE))}.",
            "The others are checked, and refused by a run until functions move and export the data.",
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
