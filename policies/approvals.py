"""`tenantry policy approve`: writes approvals of what a plan would delete or replace.

Approvals are appended; the file's entries and comments stay as they are. The new text is parsed once more
before it is written, and the file is replaced as a whole.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import typer

from config.fields import Problem, fields_of
from config.files import write_atomically
from config.yaml_editing import scalar_text
from config.yaml_tree import Scalar
from policies.exceptions import ExceptionsError, parse_entries, today
from policies.gate import Approval, Loss, losses, read_approvals, unapproved
from policies.preview import read_preview

HEADER: Final = """\
# What may be replaced or deleted although it holds data: who answers for it, why, and until when.
# Written by `tenantry policy approve`; the gate tells which ones can be taken out.
"""


@dataclass(frozen=True, slots=True)
class ApprovalDetails:
    """What a person says with the command."""

    reason: str
    owner: str
    days: int


def approve(file: Path, approvals: Path, state: Path | None, words: ApprovalDetails) -> int:
    """Write an approval for each thing that the plan loses and nobody has approved; 0 also where none is."""
    _check("reason", words.reason)
    _check("owner", words.owner)
    granted = read_approvals(approvals)
    found = losses(read_preview(file), read_preview(state) if state else None)
    asked = unapproved(found, granted, today())
    if not asked:
        print(f"nothing to approve: {file} loses nothing{' that was not approved before' if found else ''}")
        return 0
    expires = today() + timedelta(days=words.days)
    new = [
        Approval(urn=x.urn, operation=x.operation, reason=words.reason, owner=words.owner, expires=expires)
        for x in asked
    ]
    before = approvals.read_bytes().decode("utf-8") if approvals.exists() else HEADER
    after = extended(before, new)
    _read_again(after, approvals.name, [*granted, *new])
    write_atomically(approvals, after)
    _print_result(approvals, asked, new)
    return 0


def _check(name: str, text: str) -> None:
    """A word that the file could not hold is wrong usage."""
    problems: list[str] = []

    def report(problem: Problem) -> None:
        problems.append(f"{problem.wrong}; {problem.right}")

    fields_of(Approval)[name].type.read(Scalar(text, False, 1, 1), f"--{name}", report)
    if problems:
        raise typer.BadParameter(problems[0])


def extended(text: str, new: Sequence[Approval]) -> str:
    """A file with approvals more, in its own indentation and line ends."""
    end = "\r\n" if "\r\n" in text else "\n"
    indented = re.search(r"^( *)- ", text, re.MULTILINE)
    margin = indented.group(1) if indented else ""
    body = text if not text or text.endswith("\n") else text + end
    lines = [
        f"{margin}{'- ' if first else '  '}{name}: {scalar_text(value)}{end}"
        for approval in new
        for first, (name, value) in _numbered(approval)
    ]
    return body + "".join(lines)


def _numbered(approval: Approval) -> list[tuple[bool, tuple[str, object]]]:
    return [(n == 0, pair) for n, pair in enumerate(asdict(approval).items())]


def _read_again(text: str, name: str, wanted: Sequence[Approval]) -> None:
    """Raise `ExceptionsError` where the text would not read as what was there and what was added."""
    with suppress(ExceptionsError):
        if parse_entries(text.encode("utf-8"), name, Approval) == list(wanted):
            return
    raise ExceptionsError(
        f"{name}: nothing can be added at its end; write it as a list of entries that begin with"
        " - urn: …, one below the other, and approve again"
    )


def _print_result(approvals: Path, asked: Sequence[Loss], new: Sequence[Approval]) -> None:
    for loss in asked:
        print(f"+ {loss.operation} {loss.urn} ({loss.stateful.holds}{loss.needed})")
    print(f"{approvals}: {len(new)} more, until {new[0].expires}; commit them with the change")
