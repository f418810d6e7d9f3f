"""Parses the command line of a call of the engine."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

VALUED: Final = ("-C", "--cwd", "--color", "-v", "--verbose", "--tracing", "--profiling", "--memprofilerate")


@dataclass(frozen=True)
class Call:
    """What the command line of a call says."""

    args: tuple[str, ...]

    @property
    def command(self) -> str:
        """The first word that is neither an option nor the value of one."""
        words = iter(self.args)
        for word in words:
            if word in VALUED:
                next(words, None)
            elif not word.startswith("-"):
                return word
        return ""

    @property
    def refreshes(self) -> bool:
        """Whether it reads the cloud into the state."""
        return self.command == "refresh" or any(w in ("-r", "--refresh", "--refresh=true") for w in self.args)

    @property
    def excluded(self) -> frozenset[str]:
        """The URNs that it leaves out already."""
        return frozenset(value for word, value in pairwise(self.args) if word in ("-x", "--exclude"))

    @property
    def stack(self) -> str | None:
        return self.option("--stack", "-s")

    def option(self, long: str, short: str) -> str | None:
        """The value of an option in each form: `-s dev`, `-sdev`, `-ys dev`, `--stack dev`, `--stack=dev`."""
        for word, following in pairwise((*self.args, "")):
            if word == "--":
                return None
            if word in (long, short):
                return following or None
            if word.startswith(f"{long}="):
                return word.removeprefix(f"{long}=")
            if found := re.fullmatch(rf"-[a-zA-Z]*?{short[1]}=?(.*)", word):
                return found[1] or following or None
        return None
