"""What the last run measured of a tenant's move, as the engine on PATH tells it; nothing where it cannot."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

SECONDS: Final = 10.0  # a stack's state may lie far away
ENDS: Final = {"origin": "the old place", "target": "the new place"}


def measured(root: Path, stack: str, id_: str) -> Mapping[str, Any] | None:
    """The stack's output about a tenant's move; None where there is no engine, no stack or no such move."""
    engine = shutil.which("pulumi")
    if engine is None:
        return None
    words = [engine, "stack", "output", "moves", "--json", "--stack", stack, "--non-interactive"]
    try:
        asked = subprocess.run(  # noqa: S603 - the stack's name is one of the registries
            words,
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        found = json.loads(asked.stdout) if asked.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    told = cast("Mapping[str, Any]", found).get(id_) if isinstance(found, dict) else None
    return cast("Mapping[str, Any]", told) if isinstance(told, dict) else None  # a record only has no figures


def lines(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Word and figure, for people; what a stage has not measured is left out."""
    yield "measured", f"by the run of {told.get('stage')}"
    serves = str(told.get("serves"))
    other = next(name for end, name in ENDS.items() if end != serves)
    yield "serves", ENDS.get(serves, serves)
    if told.get("lagBytes") is not None:
        yield "lag", f"{other} is {_bytes(told['lagBytes'])} behind"
        yield "first copy", "over" if told.get("copied") else "goes on, and the cutover waits for it"
    if told.get("tables") is not None:
        yield "size", f"{told['tables']} tables, {_bytes(told.get('bytes') or 0)}"
    if told.get("readOnlySeconds") is not None:
        yield "read-only", f"{told['readOnlySeconds']:.2f} s"
    if told.get("rows") is not None:
        yield "compared", f"{told['rows']} rows, equal"
    dump: Mapping[str, Any] | None = told.get("dump")
    if dump:
        yield "last dump", f"{dump.get('bucket')}/{dump.get('key')}, {_bytes(dump.get('bytes') or 0)}"
    for note in told.get("notes") or ():
        yield "note", str(note)


def _bytes(number: int) -> str:
    return f"{number:,} bytes".replace(",", " ")
