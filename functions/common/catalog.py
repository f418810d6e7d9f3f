"""The queries of `catalog.sql`: a schema's objects as statements, and the order to create them in."""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


class Section(IntEnum):
    """In the order in which they can be made; those from INDEXES on may wait until the rows are there."""

    TYPES = 0
    SEQUENCES = 1
    FUNCTIONS = 2
    CASTS = 3
    TABLES = 4
    KEYS = 5
    ATTACH = 6
    VIEWS = 7
    LATE = 8
    DEFAULTS = 9
    EXPRESSIONS = 10
    INDEXES = 11
    CHECKS = 12
    FOREIGN = 13
    TRIGGERS = 14
    NOTES = 15
    PRIVILEGES = 16


def queries(file: str, folder: Path = FOLDER) -> Mapping[str, str]:
    """The queries of an SQL file, by the line `--- …` before each."""
    text = (folder / file).read_text(encoding="utf-8")
    parts = re.split(r"^--- (.+)$", text, flags=re.MULTILINE)
    return {name.strip(): query.strip() for name, query in zip(parts[1::2], parts[2::2], strict=True)}


def definitions() -> Sequence[tuple[Section, str]]:
    return [(Section[name.partition(":")[0]], query) for name, query in queries("catalog.sql").items()]
