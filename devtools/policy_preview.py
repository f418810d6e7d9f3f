"""Previews a change and judges it before it is made: rules in the engine, then the gate on its plan."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from config.files import write_atomically
from devtools import engine
from devtools.destroy_guard import exported_state
from devtools.paths import ROOT, real_cli, sandbox_dir, say
from tenants.files import ledger_file, relative

PACK: Final = ("--policy-pack", "policies")
QUIET: Final = ("--non-interactive", "--color=never", "--suppress-progress")
DEBUG: Final = {"PULUMI_DEBUG_COMMANDS": "true"}  # without it the engine knows no --event-log


def plan_file(stack: str) -> Path:
    """Where the events of the last plan of a stack are kept; secrets are not shown in it."""
    return sandbox_dir() / "plans" / f"{stack}.events"


def preview_and_judge(stack: str, given: Mapping[str, str], args: tuple[str, ...] | None = None) -> int:
    """Preview, judge, gate; 0 where the change may be made.

    Shown is the preview, called with `args`; without them nothing but what refuses the change. The ledger
    remembers no stage of a tenant's life that was refused: the next one would be taken on top of it.
    """
    ledger = ledger_file(ROOT, stack)
    before = ledger.read_text("utf-8") if ledger.exists() else None
    status = _preview_and_judge(stack, given, args)
    if status and before is not None and ledger.read_text("utf-8") != before:
        write_atomically(ledger, before)
        say(f"{relative(ROOT, ledger)} is as it was before")
    return status


def _preview_and_judge(stack: str, given: Mapping[str, str], args: tuple[str, ...] | None) -> int:
    file = plan_file(stack)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    words = ("preview", "--stack", stack, *PACK, "--event-log", str(file), *(QUIET if args is None else args))
    env = dict(given) | DEBUG
    status = _preview_without_output(stack, words, env) if args is None else engine.run(words, env, ROOT)
    if _has_steps(file):
        return gate(stack, given, file) or status
    if not status:  # nobody has looked for what would be lost, so nothing may be
        print(f"error: stack {stack}: the engine left no record of its plan in {file}", file=sys.stderr)
    return status or 1


def preview_summary(stack: str) -> str:
    """What the last plan that was made quietly says: advice of the policies, and how many resources."""
    return _from_heading("Policies|Resources", _shown_file(stack).read_text(encoding="utf-8"))


def _shown_file(stack: str) -> Path:
    return plan_file(stack).with_suffix(".txt")


def _preview_without_output(stack: str, words: tuple[str, ...], env: Mapping[str, str]) -> int:
    """Run a preview whose output is of interest only where it fails."""
    say("planning and judging the change")
    done = subprocess.run(
        [real_cli(), *words],
        cwd=ROOT,
        env=engine.call_environment(engine.Call(words), env, ROOT),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    _shown_file(stack).write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        print(_from_heading("Policies|Diagnostics", done.stdout), file=sys.stderr)
        print(done.stderr, file=sys.stderr, end="")
    return done.returncode


def _from_heading(headings: str, output: str) -> str:
    """What the pack and the program say, without the list of steps."""
    found = re.search(rf"^({headings}):", output, re.MULTILINE)
    return output[found.start() :].rstrip() if found else output.rstrip()


def gate(stack: str, given: Mapping[str, str], file: Path) -> int:
    """1 where the plan replaces or deletes what holds data and nobody has approved it; says what and why."""
    command = [sys.executable, "-m", "policies", "gate", str(file)]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if first.returncode == 1 and (state := exported_state(stack, given)):
        kept = file.with_suffix(".state")
        kept.write_text(state, encoding="utf-8")
        kept.chmod(0o600)
        first = subprocess.run(
            [*command, "--state", str(kept)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        kept.unlink()
    # Where nothing is refused, its one line on standard output says so; a note may still be due.
    for line in ((first.stdout if first.returncode else "") + first.stderr).splitlines():
        print(line if line.startswith(("note: ", "error: ")) else f"error: {line}", file=sys.stderr)
    return first.returncode


def _has_steps(file: Path) -> bool:
    """Whether the engine has recorded a plan; a preview that fails early has not."""
    if not file.exists():
        return False
    with file.open(encoding="utf-8") as lines:
        return any('"resourcePreEvent"' in line for line in lines)
