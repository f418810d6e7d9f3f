"""Where things are: the project, what is made once for it, and what one sandbox holds."""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PLUGINS: Final = {"aws": "pulumi-aws", "random": "pulumi-random", "tls": "pulumi-tls"}


def tools() -> Path:
    """What is made once and shared by every sandbox: the CLI, its home with the plugins, Go's caches."""
    return Path(os.environ.get("TENANTRY_TOOLS_DIR", ROOT / ".tools")).resolve()


def sandbox_dir() -> Path:
    """State, cloud and secrets of the sandbox that `make` uses."""
    return Path(os.environ.get("TENANTRY_SANDBOX_DIR", ROOT / ".sandbox")).resolve()


def real_cli() -> str:
    """The engine itself, as `cli.py` found, fetched or built it."""
    chosen = tools() / "cli" / "path"
    return chosen.read_text(encoding="utf-8").strip() if chosen.exists() else str(tools() / "cli" / "pulumi")


def plugin_versions() -> dict[str, str]:
    """Plugin → the version that the installed SDK asks the engine for."""
    return {plugin: version(package) for plugin, package in PLUGINS.items()}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The folders of one sandbox. Two of them share nothing but the tools."""

    home: Path

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def config(self) -> Path:
        """Copies of the stacks' files, into which the engine writes its salt."""
        return self.home / "config"

    @property
    def passphrase(self) -> Path:
        return self.home / "passphrase"
