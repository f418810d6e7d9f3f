"""Whether this code changes what an earlier commit deployed: `python -m devtools.no_change COMMIT [STACK …]`.

The commit is checked out in another folder, and deploys each stack to a sandbox of its own; then this
checkout previews the same stacks on the state that the commit left. A refactoring passes if the engine would
change nothing but the code of functions whose sources were edited: names, URNs and all other inputs stay.
Exit status: 0 if nothing else would change, 1 if something would, 2 for wrong usage.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devtools import cli_lookup, plugin_launchers
from devtools.environment import environment
from devtools.paths import ROOT, Sandbox, ToolchainError, UsageError, make_folder, real_cli, say, tools
from devtools.stacks import prepare_stack, stacks
from recovery.engine import mapping

FUNCTION: Final = "aws:lambda/function:Function"
CODE: Final = ["code"]
SAME: Final = frozenset({"same", "read"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a preview says of one stack."""

    stack: str
    resources: int
    code_only: tuple[str, ...]  # functions of which nothing but the code would change, by name
    changed: tuple[str, ...]  # everything else that the engine would do: operation, URN, properties

    def __str__(self) -> str:
        same = self.resources - len(self.code_only) - len(self.changed)
        code = (
            f", code of {len(self.code_only)} functions ({', '.join(self.code_only)})"
            if self.code_only
            else ""
        )
        return (
            f"{self.stack}: {self.resources} resources, {same} unchanged{code}, {len(self.changed)} changed"
        )


def compare(stack: str, preview: Mapping[str, Any]) -> Comparison:
    """Read `pulumi preview --json --show-sames`."""
    steps = [s for s in preview.get("steps", []) if s["op"] not in SAME]
    code = [s for s in steps if _is_code_only(s)]
    rest = [s for s in steps if not _is_code_only(s)]
    return Comparison(
        stack=stack,
        resources=sum(preview.get("changeSummary", {}).values()),
        code_only=tuple(sorted(s["urn"].rsplit("::", 1)[1] for s in code)),
        changed=tuple(f"{s['op']} {s['urn']} {', '.join(s.get('diffReasons') or [])}".strip() for s in rest),
    )


def _is_code_only(step: Mapping[str, Any]) -> bool:
    kind = mapping(step.get("newState")).get("type")
    return step["op"] == "update" and kind == FUNCTION and step.get("diffReasons") == CODE


def previewed(stack: str, home: Path) -> Comparison:
    """What this checkout would do to a stack whose state and cloud are in `home`."""
    config = ("--config-file", str(prepare_stack(ROOT, home, stack)))
    done = subprocess.run(
        [*(real_cli(), "preview", "--json", "--show-sames", "--non-interactive", "--stack", stack), *config],
        cwd=ROOT,
        env=environment(ROOT, home, stack),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise ToolchainError(f"stack {stack}: the preview failed: {(done.stderr or done.stdout).strip()}")
    return compare(stack, json.loads(done.stdout))


@contextmanager
def checked_out(commit: str, folder: Path) -> Generator[Path]:
    """A worktree of the commit; it shares this virtual environment where it has the same requirements."""
    checkout = folder / "checkout"
    _git("worktree", "add", "--detach", "--force", str(checkout), commit)
    try:
        lists = [name for name in ("requirements.txt", "requirements-dev.txt") if (checkout / name).exists()]
        if all((checkout / n).read_bytes() == (ROOT / n).read_bytes() for n in lists):
            (checkout / ".venv").symlink_to(Path(sys.prefix))
        yield checkout
    finally:
        _git("worktree", "remove", "--force", str(checkout))


def deployed(commit: str, names: Sequence[str], folder: Path) -> Path:
    """The sandbox to which the commit deployed the stacks; databases are a record only."""
    home, own_tools = folder / "sandbox", folder / "tools"
    make_folder(own_tools)
    shutil.copytree(tools() / "cli", own_tools / "cli", dirs_exist_ok=True)
    given = {**os.environ, "SANDBOX_POSTGRES": "0"}
    given |= {"TENANTRY_SANDBOX_DIR": str(home), "TENANTRY_TOOLS_DIR": str(own_tools)}
    with checked_out(commit, folder) as checkout:
        for stack in names:
            say(f"{commit} deploys {stack}")
            done = subprocess.run(
                ["make", "-s", "up", f"STACK={stack}"],
                cwd=checkout,
                env=given,
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if done.returncode:
                raise ToolchainError(f"{commit} could not deploy {stack}: {done.stderr.strip()[-2000:]}")
    (Sandbox(home).engine / "plugins").unlink()  # from here on this checkout's own
    return home


def _git(*words: str) -> None:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"git {words[0]} {words[1]}: {done.stderr.strip()}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m devtools.no_change", description=__doc__)
    parser.add_argument("commit", help="what is deployed, such as c8e341d")
    parser.add_argument("stack", nargs="*", help="all stacks that have a file where none is named")
    given = parser.parse_args(arguments)
    folder = tools() / "no-change"
    try:
        _git("rev-parse", "--verify", "--quiet", f"{given.commit}^{{commit}}")
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        _, built = cli_lookup.ensure()
        plugin_launchers.install(built)
        names = given.stack or stacks()
        home = deployed(given.commit, names, folder)
        found = [previewed(stack, home) for stack in names]
    except ToolchainError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return wrong.status
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for one in found:
        print(one)
        for line in one.changed:
            print(f"  {line}")
    return 1 if any(one.changed for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
