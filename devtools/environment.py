"""The environment variables of the engine in the sandbox: offline, quiet, with its own home and state."""

import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from devtools.paths import ROOT, Sandbox, make_folder, sandbox_dir, tools
from sandbox.cloud.profile import VARIABLE as PROFILE
from sandbox.files import write
from tenants.files import quota_increases_file

# Whole snapshots at each step cost the square of the stack (737 resources on two cores: 73 s with, 8 s
# without). A throw-away cloud can do without them: an interrupt still saves what was done, and a run that
# was killed is undone (`undo.py`). A run whose record must survive a kill sets TENANTRY_CHECKPOINTS=1.
FAST: Final = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
# Of a person's shell, what would lead a sandbox run anywhere else: to another backend, another stack's
# secrets, a real account.
DROPPED: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_API",
    "PULUMI_CONFIG",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_OPTION_CONFIG_FILE",
    "PULUMI_RUN_PROGRAM",
    "PULUMI_STACK",
)


def settings(project: Path, home: Path, stack: str | None = None) -> dict[str, str]:
    """The variables that differ from a plain shell, without PATH."""
    sandbox = Sandbox(home)
    found = {
        "PULUMI_HOME": str(sandbox.engine),
        "PULUMI_BACKEND_URL": sandbox.state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(sandbox.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "TENANTRY_TOOLS_DIR": str(tools()),
        "TENANTRY_PROJECT_DIR": str(project),
        "TENANTRY_SANDBOX_DIR": str(home),
        "TENANTRY_COPIES_DIR": str(home / "copies"),
        "SANDBOX_DIR": str(home),
        "SANDBOX_QUOTA_INCREASES": str(quota_increases_file(project)),
    }
    if os.environ.get("TENANTRY_CHECKPOINTS") != "1":
        found |= FAST
    if profile := os.environ.get(PROFILE):
        found[PROFILE] = profile
    return found | ({"PULUMI_STACK": stack} if stack else {})


def environment(
    project_dir: Path = ROOT, sandbox: Path | None = None, stack: str | None = None
) -> dict[str, str]:
    """A whole environment for a subprocess that calls `pulumi` in `project_dir`; makes the folders.

    `sandbox` is the folder of state and cloud (the project's own by default), `stack` the one that is
    meant where a command names none.
    """
    home = (sandbox or sandbox_dir()).resolve()
    _make(Sandbox(home))
    kept = {k: v for k, v in os.environ.items() if k not in (*DROPPED, *FAST)}
    return kept | settings(project_dir.resolve(), home, stack) | {"PATH": path(kept)}


def path(env: Mapping[str, str]) -> str:
    """The project's `pulumi`, its Python, then what was there."""
    mine = [str(tools() / "bin"), str(Path(sys.executable).parent)]
    rest = [p for p in env.get("PATH", "").split(os.pathsep) if p and p not in mine]
    return os.pathsep.join([*mine, *rest])


def _make(sandbox: Sandbox) -> None:
    make_folder(sandbox.home)
    for folder in (sandbox.state, sandbox.config, sandbox.engine):
        folder.mkdir(exist_ok=True)
    if not (sandbox.engine / "logs").exists():
        # The engine logs at every level into files of this folder, and does without where it cannot make it:
        # half of its time, and megabytes for each run (CLI 3.259, 2026-11-29; no option switches it off).
        (sandbox.engine / "logs").touch()
    plugins = tools() / "plugins"
    if not (sandbox.engine / "plugins").exists():
        plugins.mkdir(parents=True, exist_ok=True)
        (sandbox.engine / "plugins").unlink(missing_ok=True)  # of a clone that was moved
        with suppress(FileExistsError):  # another run was quicker
            (sandbox.engine / "plugins").symlink_to(plugins)
    if not sandbox.passphrase.exists():
        write(sandbox.passphrase, secrets.token_urlsafe(32), 0o600)
