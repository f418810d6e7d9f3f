"""The recipes of docs/extending.md as data: what each changes in which file, read from the page itself.

A change is a line that names the file, and the block after it:

- "`plan/settings.py`:" and a `diff` block. Lines that stay or go must be in the file once, as they stand
  there, one after the other.
- "`plan/settings.py`, at the end:" and a block that is appended.
- "`plan/settings.py`, a new file:" and a block that is the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cells import ROOT

PAGE: Final = ROOT / "docs" / "extending.md"
_RECIPE: Final = re.compile(r"^## (?P<title>.+)\n(?P<body>(?:(?!## ).*\n?)*)", re.MULTILINE)
_CHANGE: Final = re.compile(
    r"^`(?P<file>[\w./-]+)`(?P<how>, at the end|, a new file)?:\n\n```(?P<language>\w+)\n(?P<block>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FENCE: Final = re.compile(r"^```(\w+)$", re.MULTILINE)
SHELL: Final = "sh"  # of blocks that are typed and change no file


class DoesNotApply(AssertionError):  # noqa: N818 - says what is wrong
    """The block is not about the file as it is."""


@dataclass(frozen=True)
class Change:
    """One block of a recipe."""

    file: str
    how: str  # "", ", at the end" or ", a new file"
    block: str

    def apply(self, root: Path) -> None:
        """Change the file; raises `DoesNotApply`."""
        path = root / self.file
        if self.how == ", a new file":
            if path.exists():
                raise DoesNotApply(f"{self.file} is there already")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.block, "utf-8")
            return
        text = path.read_text("utf-8")
        path.write_text(text + self.block if self.how else self._edited(text), "utf-8")

    def _edited(self, text: str) -> str:
        lines = [line if line.strip() else " \n" for line in self.block.splitlines(keepends=True)]
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        found = [match.start() for match in re.finditer(f"^(?={re.escape(before)})", text, re.MULTILINE)]
        if len(found) != 1:
            raise DoesNotApply(f"{self.file} has these lines {len(found)} times:\n{before}")
        return text[: found[0]] + after + text[found[0] + len(before) :]


@dataclass(frozen=True)
class Recipe:
    """A section of the page."""

    title: str
    changes: tuple[Change, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are edited by hand."""
        return tuple(dict.fromkeys(change.file for change in self.changes))

    def apply(self, root: Path) -> None:
        for change in self.changes:
            change.apply(root)


def recipes(page: str) -> dict[str, Recipe]:
    """Title → recipe, in the order of the page."""
    return {
        found["title"]: Recipe(found["title"], tuple(_changes(found["body"]))) for found in _sections(page)
    }


def _sections(page: str) -> Iterator[re.Match[str]]:
    """The sections in which there is something to change."""
    return (found for found in _RECIPE.finditer(page) if _CHANGE.search(found["body"]))


def _changes(body: str) -> Iterator[Change]:
    for found in _CHANGE.finditer(body):
        yield Change(found["file"], found["how"] or "", found["block"])


def unread_blocks(page: str) -> int:
    """How many blocks of code the page has that no recipe takes and that nobody is to type."""
    all_blocks = [language for language in _FENCE.findall(page) if language != SHELL]
    return len(all_blocks) - sum(len(recipe.changes) for recipe in recipes(page).values())
