"""Lifecycle calls of a tenant that go on without an engine: what their functions last said of them.

Read from Parameter Store, where the functions record it: by the program `aws` where it is on PATH, or from
the sandbox; otherwise unknown.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, cast

SECONDS: Final = 10.0  # for an answer
SANDBOX: Final = "SANDBOX_DIR"  # names the sandbox, where this is one


def calls_in_progress(stack: str, id_: str) -> Mapping[str, str]:
    """Call → how far it has come, and when that was said; nothing where nobody can be asked."""
    path = f"/tenantry/{stack}/calls/{id_}"
    home = os.environ.get(SANDBOX)
    found = _in_sandbox(Path(home), path) if home else _at_aws(path)
    return {name.rpartition("/")[2]: line for name, text in found if (line := _line(text))}


def _line(text: str) -> str | None:
    """Of a record; None of one that says that all is done."""
    try:
        record: object = json.loads(text)
    except ValueError:
        return None
    found: object = cast("Mapping[str, Any]", record).get("goesOn") if isinstance(record, dict) else None
    if not isinstance(found, dict):
        return None
    words = cast("Mapping[str, Any]", found)
    return f"{words.get('progress')} ({words.get('at')})"


def _at_aws(path: str) -> Iterable[tuple[str, str]]:
    program = shutil.which("aws")
    if program is None:
        return ()
    words = [program, "ssm", "get-parameters-by-path", "--path", path, "--output", "json"]
    try:
        asked = subprocess.run(  # noqa: S603 - the path is of names that the registry allows
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        found: dict[str, Any] = json.loads(asked.stdout) if asked.returncode == 0 else {}
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ()
    return [(str(p["Name"]), str(p["Value"])) for p in found.get("Parameters", ())]


def _in_sandbox(home: Path, path: str) -> Iterable[tuple[str, str]]:
    from sandbox.aws.parameters import PARAMETER, value_of  # noqa: PLC0415 - only where there is one
    from sandbox.cloud.store import FILE, Store  # noqa: PLC0415 - as above

    if not (home / FILE).exists():
        return ()
    with closing(Store(home / FILE, "", "")) as store:
        rows = store.in_all_accounts(PARAMETER)
        return [(r.id, value_of(r)) for r in rows if r.id.startswith(f"{path}/")]
