"""`pulumi` as `make env` puts it on PATH: the real one, kept from writing into committed files.

Operations get the engine's copy of the stack's file (see `stacks.py`). A destroy of protected data is
refused before the first deletion: the engine alone would delete everything unprotected first. Every
other command is passed on as it is.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from sandbox.toolchain.places import ROOT, real_cli, sandbox_dir

OPERATIONS: Final = frozenset(
    {"up", "update", "deploy", "preview", "pre", "refresh", "destroy", "down", "dn"}
)
DESTROYS: Final = frozenset({"destroy", "down", "dn"})
SALTED: Final = frozenset({"config", "import", "stack", "watch"})


def option(args: list[str], *names: str) -> str | None:
    """The value of an option in any of the forms that the CLI takes: `-s dev`, `-sdev`, `--stack=dev`."""
    for i, arg in enumerate(args):
        for name in names:
            if arg == name:
                return args[i + 1] if i + 1 < len(args) else None
            if arg.startswith(f"{name}="):
                return arg.removeprefix(f"{name}=")
            if len(name) == 2 and arg.startswith(name) and not arg.startswith("--"):
                return arg.removeprefix(name)
    return None


def main() -> int:
    args = sys.argv[1:]
    command = next((a for a in args if not a.startswith("-")), "")
    project = Path(os.environ.get("TENANTRY_PROJECT_DIR", ROOT))
    if command in OPERATIONS and Path.cwd() == project and not option(args, "--config-file"):
        return _operate(project, command, args)
    if command in SALTED:
        return _unsalted(project, args)
    os.execv(real_cli(), ["pulumi", *args])  # noqa: S606 - no shell is wanted
    return 0


def _operate(project: Path, command: str, args: list[str]) -> int:
    from sandbox.toolchain.guard import refusal  # noqa: PLC0415 - most calls need none of it
    from sandbox.toolchain.stacks import StackError, prepare_stack  # noqa: PLC0415

    stack = option(args, "--stack", "-s") or _selected()
    if stack is None:
        os.execv(real_cli(), ["pulumi", *args])  # noqa: S606 - it asks for a stack in its own words
    try:
        copy = prepare_stack(project, sandbox_dir(), str(stack))
    except StackError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    if command in DESTROYS and "--preview-only" not in args and (why := refusal(str(stack), copy)):
        print(f"error: {why}", file=sys.stderr)
        return 1
    os.execv(real_cli(), ["pulumi", *args, "--config-file", str(copy)])  # noqa: S606
    return 0


def _selected() -> str | None:
    done = subprocess.run(
        [real_cli(), "stack", "--show-name"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


def _unsalted(project: Path, args: list[str]) -> int:
    """Run the command, then take out the salt where it put one into a stack's file that had none."""
    before = {p: p.read_text(encoding="utf-8") for p in project.glob("Pulumi.*.yaml")}
    status = subprocess.run([real_cli(), *args], check=False).returncode
    for path, text in before.items():
        now = path.read_text(encoding="utf-8") if path.exists() else text
        if now != text and "encryptionsalt:" not in text:
            kept = [x for x in now.splitlines(keepends=True) if not x.startswith("encryptionsalt:")]
            path.write_text("".join(kept), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
