"""Stacks of the sandbox, which leave the committed files unchanged.

The engine writes an encryption salt into the file of a stack whose secrets are under a passphrase. So
it is given a copy (`--config-file`), which holds the salt; the copy is written from the committed file at
each call. `engine.py` does the same for a person who types `pulumi up`.
"""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from devtools.environment import environment
from devtools.paths import ROOT, Sandbox, ToolchainError, real_cli, sandbox_dir
from sandbox.files import write

SALT: Final = "encryptionsalt:"
# How a stack's secrets are kept elsewhere, say under a key of AWS: not a matter of the sandbox.
ELSEWHERE: Final = ("secretsprovider:", "encryptedkey:")


class StackError(ToolchainError):
    """A stack cannot be made; the text says which and what to do."""


def stacks(project: Path = ROOT) -> list[str]:
    """Every stack that has a file."""
    return sorted(p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in project.glob("Pulumi.*.yaml"))


def require_file(project: Path, stack: str) -> None:
    """Raise `StackError` where the stack has no file."""
    if not (project / f"Pulumi.{stack}.yaml").exists():
        known = ", ".join(stacks(project)) or "none has one"
        raise StackError(
            f"stack {stack}: there is no Pulumi.{stack}.yaml; write one, or name one of: {known}"
        )


def config_file(project: Path, sandbox: Path, stack: str) -> Path:
    """The engine's copy of a stack's file, as the committed one is now."""
    home = Sandbox(sandbox)
    copy, salt = home.config / f"Pulumi.{stack}.yaml", home.config / f"{stack}.salt"
    text, _ = split_top_level_keys(
        (project / copy.name).read_text(encoding="utf-8").rstrip("\n") + "\n", SALT, *ELSEWHERE
    )
    write(copy, text + (salt.read_text(encoding="utf-8") if salt.exists() else ""))
    return copy


def split_top_level_keys(text: str, *keys: str) -> tuple[str, str]:
    """The text of a stack's file without the lines of some top-level keys, and those lines."""
    lines = text.splitlines(keepends=True)
    rest = [line for line in lines if not line.startswith(keys)]
    return "".join(rest), "".join(line for line in lines if line.startswith(keys))


def copy_settings_back(project: Path, copy: Path) -> None:
    """Bring what `pulumi config` wrote into the engine's copy back to the committed file."""
    committed = project / copy.name
    old = committed.read_text(encoding="utf-8")
    text, elsewhere = split_top_level_keys(old, *ELSEWHERE)
    new, _ = split_top_level_keys(copy.read_text(encoding="utf-8"), SALT)
    if new.strip() != split_top_level_keys(text, SALT)[0].strip():
        write(committed, new + elsewhere)


def move_salts_to_sandbox(project: Path, sandbox: Path, before: dict[Path, str]) -> None:
    """Move what salt the engine wrote into a stack's file to the sandbox; `before` are their old texts."""
    for path in project.glob("Pulumi.*.yaml"):
        text, salt = split_top_level_keys(path.read_text(encoding="utf-8"), SALT)
        if salt and salt not in before.get(path, ""):
            stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
            write(Sandbox(sandbox).config / f"{stack}.salt", salt)
            write(path, before.get(path, text))


def prepare_stack(project: Path = ROOT, sandbox: Path | None = None, stack: str = "dev") -> Path:
    """See to it that the stack exists in the sandbox's state; returns the engine's copy of its file."""
    require_file(project, stack)
    home = (sandbox or sandbox_dir()).resolve()
    env = environment(project, home)
    if not _exists(home, stack):
        with _sandbox_lock(home):
            if not _exists(home, stack):
                _create(project, stack, env, home)
    return config_file(project, home, stack)


def _exists(home: Path, stack: str) -> bool:
    kept = any(Sandbox(home).state.glob(f".pulumi/stacks/*/{stack}.json"))
    return kept and (Sandbox(home).config / f"{stack}.salt").exists()


@contextmanager
def _sandbox_lock(home: Path) -> Generator[None]:
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _create(project: Path, stack: str, env: dict[str, str], home: Path) -> None:
    """Make the stack in a folder of its own: what the engine writes there is only the salt."""
    salt = Sandbox(home).config / f"{stack}.salt"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy2(project / "Pulumi.yaml", folder)
        written = Path(folder) / f"Pulumi.{stack}.yaml"
        if salt.exists():  # of a stack that was removed: its secrets stay readable
            shutil.copy2(salt, written)
        done = subprocess.run(
            [real_cli(), "stack", "init", stack, "--non-interactive"],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode or not written.exists():
            raise StackError(f"stack {stack}: the engine could not make it: {done.stderr.strip()}")
        write(salt, split_top_level_keys(written.read_text(encoding="utf-8"), SALT)[1])
