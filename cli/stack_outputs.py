"""What the last run reported about a tenant: read with `pulumi` where it is on PATH, otherwise unknown."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from config.wording import counted

SECONDS: Final = 10.0  # a stack's state may lie far away
ENDS: Final = {"origin": "the old database", "target": "the new database"}


UNKNOWN: Final[Mapping[str, Any]] = {}  # there is no engine or no stack, or it is a record only


def outputs(root: Path, stack: str, name: str) -> Mapping[str, Any] | None:
    """An output of a stack about its tenants, by id; None where it cannot be had."""
    engine = shutil.which("pulumi")
    if engine is None:
        return None
    words = [engine, "stack", "output", name, "--json", "--stack", stack, "--non-interactive"]
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
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def outputs_of_tenant(found: Mapping[str, Any] | None, id_: str) -> Mapping[str, Any] | None:
    """What an output tells of a tenant; None where it tells nothing, `UNKNOWN` where nobody can say."""
    if found is None:
        return UNKNOWN
    outputs = found.get(id_)
    if outputs is None or isinstance(outputs, dict):
        return cast("Mapping[str, Any] | None", outputs)
    return UNKNOWN  # a record only has no figures


def measured_lines(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Word and figure, for people; what a stage has not measured is left out."""
    yield "measured", f"by the run of {outputs.get('stage')}"
    serves = str(outputs.get("serves"))
    other = next(name for end, name in ENDS.items() if end != serves)
    yield "serves", ENDS.get(serves, serves)
    if outputs.get("lagBytes") is not None:
        yield "lag", f"{other} is {_bytes(outputs['lagBytes'])} behind"
        yield "first copy", "over" if outputs.get("copied") else "goes on, and the cutover waits for it"
    if outputs.get("tables") is not None:
        yield "size", f"{counted(outputs['tables'], 'table')}, {_bytes(outputs.get('bytes') or 0)}"
    if outputs.get("readOnlySeconds") is not None:
        yield "read-only", f"{outputs['readOnlySeconds']:.2f} s"
    if outputs.get("restoredTo"):
        yield "restored", f"{outputs.get('rows')} rows as of {outputs['restoredTo']}; tables: outputs, counts"
    elif outputs.get("rows") is not None:
        yield "compared", f"{counted(outputs['rows'], 'row')}, equal"
    dump: Mapping[str, Any] | None = outputs.get("dump")
    if dump:
        yield "last dump", f"{dump.get('bucket')}/{dump.get('key')}, {_bytes(dump.get('bytes') or 0)}"
    for note in outputs.get("notes") or ():
        yield "note", str(note)


def _bytes(number: int) -> str:
    return f"{number:,} bytes".replace(",", " ")
