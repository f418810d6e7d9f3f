"""The environment in which the engine works against the sandbox: offline, quiet, its own home and state."""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox.toolchain.places import ROOT, Sandbox, sandbox_dir, tools

# Whole snapshots at each step cost the square of the stack. A throw-away cloud can do without them; a
# run that must survive a kill sets TENANTRY_CHECKPOINTS=1.
FAST: Final = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
# Of a person's shell, what must not lead a sandbox run anywhere else.
DROPPED: Final = ("PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK", "AWS_PROFILE")


def settings(project: Path, home: Path) -> dict[str, str]:
    """The variables that differ from a plain shell, without PATH."""
    place = Sandbox(home)
    found = {
        "PULUMI_HOME": str(tools() / "pulumi-home"),
        "PULUMI_BACKEND_URL": place.state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(place.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "TENANTRY_TOOLS_DIR": str(tools()),
        "TENANTRY_PROJECT_DIR": str(project),
        "TENANTRY_SANDBOX_DIR": str(home),
        "SANDBOX_DIR": str(home),
    }
    return found if os.environ.get("TENANTRY_CHECKPOINTS") == "1" else found | FAST


def environment(project_dir: Path = ROOT, sandbox: Path | None = None) -> dict[str, str]:
    """A whole environment for a subprocess that calls `pulumi` in `project_dir`."""
    home = (sandbox or sandbox_dir()).resolve()
    _make(Sandbox(home))
    kept = {k: v for k, v in os.environ.items() if k not in DROPPED}
    return kept | settings(project_dir.resolve(), home) | {"PATH": path(kept)}


def path(env: Mapping[str, str]) -> str:
    """The project's `pulumi`, its Python, then what was there."""
    mine = [str(tools() / "bin"), str(Path(sys.executable).parent)]
    rest = [p for p in env.get("PATH", "").split(os.pathsep) if p and p not in mine]
    return os.pathsep.join([*mine, *rest])


def _make(place: Sandbox) -> None:
    for folder in (place.home, place.state, place.config):
        folder.mkdir(parents=True, exist_ok=True)
    if not place.passphrase.exists():
        place.passphrase.touch(mode=0o600)
        place.passphrase.write_text(secrets.token_urlsafe(32), encoding="utf-8")
