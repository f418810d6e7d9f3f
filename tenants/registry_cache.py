"""Loads many registries at once: in parallel, and without parsing again what was found correct before.

A stack's files that are in order leave their typed contents in a cache, under a hash of all that they
depend on: those files, the project's, and this code. An entry is thus never stale, and the folder can
be deleted at any time. Only stacks without a finding are kept, so a refusal always comes from the
files themselves; and a deployment reads its own stack from its files, whatever the cache says.
"""

import gc
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from tenants.examination import valid_files_or_none
from tenants.files import PROJECT_FILE, ledger_file, plans_file, registry_file, stack_file
from tenants.project import Project, ValidFiles

FOLDER: Final = Path(".build") / "registries"
WORTH_PROCESSES: Final = 16  # stacks to parse, from which a second process pays for its start (20 ms)
KEPT: Final = 4  # entries per stack that stay in the folder: those of a few branches


def load(project: Project, stacks: Sequence[str]) -> None:
    """Give the project what is known to be in order of these stacks; the rest it reads by itself."""
    store = _Store(project.root / FOLDER)
    keys = {stack: key for stack in stacks if (key := _key(project, stack))}
    missing: list[str] = []
    for stack, key in keys.items():
        sound = store.get(key)
        if sound is None:
            missing.append(stack)
        else:
            project.take_valid(stack, sound)
    for stack, data in _parse(project, missing):
        if data is not None:
            project.take_valid(stack, _DECODER.decode(data))
            store.put(keys[stack], data)
    store.prune(KEPT * len(project.stacks))


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(ValidFiles)


@cache
def _code() -> bytes:
    """The sources that read the files: another reading of the same files is another key."""
    found = hashlib.sha256(msgspec.__version__.encode())
    root = Path(__file__).parent.parent
    for path in sorted(path for room in ("config", "tenants") for path in (root / room).rglob("*.py")):
        found.update(path.read_bytes())
    return found.digest()


def _key(project: Project, stack: str) -> str | None:
    """The hash of all that a stack's verdict depends on; None where a file is missing."""
    root = project.root
    paths = [root / PROJECT_FILE, plans_file(root), stack_file(root, stack)]
    paths += [registry_file(root, stack), ledger_file(root, stack)]
    found = hashlib.sha256(_code() + stack.encode())
    for path in paths:
        try:
            data = project.read(path)
        except FileNotFoundError:
            return None
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


def _parse(project: Project, stacks: Sequence[str]) -> Iterable[tuple[str, bytes | None]]:
    """Each stack as the cache keeps it, None where something is wrong with it."""
    processes = min(os.cpu_count() or 1, 8)
    if len(stacks) < WORTH_PROCESSES or processes < 2:
        return ((stack, _encoded(project, stack)) for stack in stacks)
    shares = [stacks[n::processes] for n in range(processes)]
    # Forked, so that nothing is imported again; no thread of this program runs here.
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        done = pool.map(_share, [project.root] * processes, [project.texts] * processes, shares)
        return [pair for pairs in done for pair in pairs]


def _share(root: Path, texts: Mapping[Path, str], stacks: Sequence[str]) -> list[tuple[str, bytes | None]]:
    gc.disable()
    project = Project(root, texts)
    return [(stack, _encoded(project, stack)) for stack in stacks]


def _encoded(project: Project, stack: str) -> bytes | None:
    sound = valid_files_or_none(project, stack)
    return None if sound is None else _ENCODER.encode(sound)


class _Store:
    """A folder of entries by hash. Whatever goes wrong with it, the answer is that nothing is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> ValidFiles | None:
        try:
            return _DECODER.decode((self.folder / key).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    def put(self, key: str, data: bytes) -> None:
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = self.folder / f".{key}.{os.getpid()}"
            temporary.write_bytes(data)
            temporary.replace(self.folder / key)

    def prune(self, most: int) -> None:
        """Remove the oldest entries beyond `most`."""
        with suppress(OSError):
            entries = list(self.folder.iterdir())
            if len(entries) > most:
                entries.sort(key=lambda path: path.stat().st_mtime)
                for path in entries[: len(entries) - most]:
                    path.unlink(missing_ok=True)
