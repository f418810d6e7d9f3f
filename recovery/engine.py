"""Calls `pulumi` (the one on PATH) for one stack, and finds its state."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

import yaml

QUIET: Final = ("--non-interactive", "--color=never")
Deployment = dict[str, Any]


class RecoveryError(Exception):
    """Something is refused; the text says what was expected, what was found, and what to do."""


@dataclass(frozen=True)
class Stack:
    """A stack of the project in `folder`."""

    name: str
    folder: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def project(self) -> str:
        return str(yaml.safe_load((self.folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"])

    @property
    def file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def setting(self, key: str) -> str | None:
        """A key of the project's own in the stack's file."""
        found = mapping(yaml.safe_load(self.file.read_text(encoding="utf-8")))
        value = mapping(found.get("config")).get(f"{self.project}:{key}")
        return None if value is None else str(value)

    def require_file(self) -> None:
        if not self.file.exists():
            known = sorted(p.name.split(".")[1] for p in self.folder.glob("Pulumi.*.yaml"))
            raise RecoveryError(
                f"stack {self.name}: there is no {self.file.name}; name one of: {', '.join(known) or 'none'}"
            )

    # -- the engine

    def pulumi(self, *args: str) -> tuple[int, str]:
        """Exit status, and what was printed on both streams."""
        done = subprocess.run(
            ["pulumi", *args, "--stack", self.name, *QUIET],
            cwd=self.folder,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def export(self) -> Deployment:
        """The state as it is, its secrets encrypted; raises `RecoveryError` where it cannot be read."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "state.json"
            status, output = self.pulumi("stack", "export", "--file", str(path))
            if status:
                raise RecoveryError(f"stack {self.name}: its state cannot be read: {last_line(output)}")
            return json.loads(path.read_text(encoding="utf-8"))["deployment"]

    def replace_state(self, deployment: Deployment) -> None:
        """Put a state in place of the one there is."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "state.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps({"version": 3, "deployment": deployment}), encoding="utf-8")
            status, output = self.pulumi("stack", "import", "--file", str(path))
        if status:
            raise RecoveryError(f"stack {self.name}: the state was not written: {last_line(output)}")

    # -- where the state lives

    @property
    def backend(self) -> str:
        """The URL of the state's backend."""
        if url := self.env.get("PULUMI_BACKEND_URL"):
            return url
        done = subprocess.run(
            ["pulumi", "whoami", "--verbose", "--json"],
            cwd=self.folder,
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RecoveryError("no state backend is chosen; `pulumi login URL` chooses one")
        return str(json.loads(done.stdout)["url"])

    @property
    def files(self) -> Path | None:
        """The folder of a file backend; None of every other kind."""
        url = urlparse(self.backend)
        return Path(unquote(url.path)) / ".pulumi" if url.scheme == "file" else None

    @property
    def state_file(self) -> Path | None:
        """Where a file backend keeps this stack's state, if it is there uncompressed."""
        found = self.files and self.files / "stacks" / self.project / f"{self.name}.json"
        return found if found and found.exists() else None

    @property
    def is_new(self) -> bool:
        """Whether a file backend has no state of it yet, compressed or not."""
        names = (f"{self.name}.json", f"{self.name}.json.gz")
        stacks = self.files and self.files / "stacks" / self.project
        return stacks is not None and not any((stacks / name).exists() for name in names)


def mapping(value: Any) -> dict[str, Any]:
    """A part of a state or a file that may be missing or null, which means the same as an empty one."""
    return value or {}


def resources(deployment: Deployment) -> list[dict[str, Any]]:
    return deployment.get("resources") or []


def pending_operations(deployment: Deployment) -> list[dict[str, Any]]:
    """What was begun when the state was last written, and not finished."""
    return deployment.get("pending_operations") or []


def last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "it said nothing"
