"""Paths of the project, of what is created once for it, and of one sandbox."""

import os
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sandbox.files import write

ROOT: Final = Path(__file__).resolve().parents[1]
PLUGINS: Final = {"aws": "pulumi-aws", "random": "pulumi-random", "tls": "pulumi-tls"}
# A folder with this file in it was made here and can be deleted at any time: https://bford.info/cachedir/
MARK: Final = "CACHEDIR.TAG"
SIGNATURE: Final = "Signature: 8a477f597d28d172789f06886806bc55\n# made by `make` of tenantry\n"


class ToolchainError(RuntimeError):
    """Something is refused or missing; the text is a sentence that says what, why, and what to do."""

    status = 1  # of the command that is refused


class UsageError(ToolchainError):
    """What was given is wrong in itself."""

    status = 2


def tools() -> Path:
    """What is made once and shared by every sandbox: the CLI, the plugins, Go while it builds."""
    return Path(os.environ.get("TENANTRY_TOOLS_DIR", ROOT / ".tools")).resolve()


def sandbox_dir() -> Path:
    """State, cloud and secrets of the sandbox that `make` uses."""
    return Path(os.environ.get("TENANTRY_SANDBOX_DIR", ROOT / ".sandbox")).resolve()


def real_cli() -> str:
    """The engine itself, as `cli.py` found, fetched or built it."""
    chosen = tools() / "cli" / "path"
    return chosen.read_text(encoding="utf-8").strip() if chosen.exists() else str(tools() / "cli" / "pulumi")


def say(text: str) -> None:
    """Tell what is happening, beside what a command prints."""
    print(f"tenantry: {text}", file=sys.stderr, flush=True)


def plugin_versions() -> dict[str, str]:
    """Plugin → the version that the installed SDK asks the engine for."""
    return {plugin: version(package) for plugin, package in PLUGINS.items()}


def make_folder(folder: Path) -> Path:
    """Make a folder that `make clean` may remove."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARK).exists():
        write(folder / MARK, SIGNATURE)
    return folder


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The folders of one sandbox. Two of them share nothing but the tools."""

    home: Path

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def engine(self) -> Path:
        """The engine's own folder (`PULUMI_HOME`): logs, selected stacks; its plugins are the tools'."""
        return self.home / "engine"

    @property
    def config(self) -> Path:
        """Copies of the stacks' files, into which the engine writes its salt."""
        return self.home / "config"

    @property
    def undo(self) -> Path:
        """What the cloud was before each run that is on its way (see `undo.py`)."""
        return self.home / "undo"

    @property
    def passphrase(self) -> Path:
        return self.home / "passphrase"
