"""Stacks of the sandbox, without a trace in the committed files.

The engine writes an encryption salt into the file of a stack whose secrets are under a passphrase. So
it is given a copy (`--config-file`), which holds the salt; the copy is made anew from the committed
file at each call. `wrapper.py` does the same for a person who types `pulumi up`.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from sandbox.toolchain.environ import environment
from sandbox.toolchain.places import ROOT, Sandbox, sandbox_dir

SALT: Final = "encryptionsalt:"


class StackError(RuntimeError):
    """A stack cannot be made; the text says which and what to do."""


def stacks(project: Path = ROOT) -> list[str]:
    """Every stack that has a file."""
    return sorted(p.name.split(".")[1] for p in project.glob("Pulumi.*.yaml"))


def config_file(project: Path, sandbox: Path, stack: str) -> Path:
    """The engine's copy of a stack's file, as the committed one is now."""
    place = Sandbox(sandbox)
    copy, salt = place.config / f"Pulumi.{stack}.yaml", place.config / f"{stack}.salt"
    text = (project / copy.name).read_text(encoding="utf-8").rstrip("\n") + "\n"
    copy.write_text(text + (salt.read_text(encoding="utf-8") if salt.exists() else ""), encoding="utf-8")
    return copy


def prepare_stack(project: Path = ROOT, sandbox: Path | None = None, stack: str = "dev") -> Path:
    """See to it that the stack exists in the sandbox's state; returns the engine's copy of its file."""
    home = (sandbox or sandbox_dir()).resolve()
    if not (project / f"Pulumi.{stack}.yaml").exists():
        known = ", ".join(stacks(project))
        raise StackError(
            f"stack {stack}: there is no Pulumi.{stack}.yaml; write one, or name one of: {known}"
        )
    env = environment(project, home)
    salt = Sandbox(home).config / f"{stack}.salt"
    if not salt.exists():
        _create(project, stack, env, salt)
    return config_file(project, home, stack)


def _create(project: Path, stack: str, env: dict[str, str], salt: Path) -> None:
    """Make the stack in a folder of its own: what the engine writes there is only the salt."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy2(project / "Pulumi.yaml", folder)
        done = subprocess.run(
            ["pulumi", "stack", "init", stack, "--non-interactive"],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        written = Path(folder) / f"Pulumi.{stack}.yaml"
        if done.returncode or not written.exists():
            raise StackError(f"stack {stack}: the engine could not make it: {done.stderr.strip()}")
        lines = written.read_text(encoding="utf-8").splitlines(keepends=True)
    new = salt.with_suffix(".new")
    new.write_text("".join(line for line in lines if line.startswith(SALT)), encoding="utf-8")
    new.replace(salt)
