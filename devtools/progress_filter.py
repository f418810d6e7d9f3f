"""Removes the engine's line per resource from its output, if nobody watches a terminal.

Failures, policies and the totals stay. The engine itself has no option for that.
"""

import os
import re
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

# `    aws:kms:Key a-key created (0.05s)`, ` +  aws:kms:Key a-key creating (0s)`, `@ updating....`
DONE: Final = re.compile(
    r"^(?: *@ \w+\.*| +pulumi:pulumi:Stack \S+ *|[ +~\-><=]{0,4}\S+:\S+ \S+ +"
    r"(?:creat|updat|delet|replac|read|refresh|import|discard|runn)\w*(?: replacement| original)?"
    r"(?: \([0-9.]+m?s?[0-9.]*s?\))?(?: \[[^\]]*\])? *|Loading policy packs\.\.\.:.*)$"
)


def is_wanted_line(line: str) -> bool:
    """Whether a line says more than that one thing was done."""
    return DONE.match(line.rstrip("\n")) is None


@contextmanager
def without_progress_lines() -> Generator[None]:
    """Filter standard output, that of children too, until the end of the block."""
    sys.stdout.flush()
    real = os.dup(1)
    reader, writer = os.pipe()
    os.dup2(writer, 1)
    os.close(writer)
    copier = threading.Thread(target=_copy, args=(reader, real), daemon=True)
    copier.start()
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(real, 1)  # closes the last writer of ours, so that the copier comes to the end
        copier.join(timeout=10)
        os.close(real)


@contextmanager
def output_on_stderr() -> Generator[None]:
    """Send standard output, that of children too, to standard error until the end of the block."""
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(real, 1)
        os.close(real)


def _copy(reader: int, real: int) -> None:
    blank = True  # several empty lines in a row are what is left between lines that went
    with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            empty = not line.strip()
            if is_wanted_line(line) and not (empty and blank):
                os.write(real, line.encode())
                blank = empty
