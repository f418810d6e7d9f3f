"""Prints results: tables and bars, without colour in a log, JSON and annotations for machines."""
# ruff: noqa: PLC0415 - rich is loaded for a terminal only

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from config.yaml_tree import Finding

BAR = 20  # characters


def on_terminal() -> bool:
    return sys.stdout.isatty()


def say(text: str) -> None:
    """A word to the person; results alone go to standard output."""
    print(text, file=sys.stderr)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns under their headers: lines and colour on a terminal, aligned text elsewhere."""
    texts = [[str(cell) for cell in row] for row in rows]
    if on_terminal():
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headers, box=SIMPLE_HEAD, pad_edge=False)
        for row in texts:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)
        return
    lines = [list(headers), *texts]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def bar(used: float, limit: float) -> str:
    """How full something is: `####......`; a box drawn where it is a terminal."""
    full, empty = ("█", "░") if on_terminal() else ("#", ".")
    share = min(used / limit, 1.0) if limit else 1.0
    filled = max(round(share * BAR), 1 if used else 0)
    return full * filled + empty * (BAR - filled)


def print_diff(lines: Iterable[str]) -> None:
    """A unified diff, coloured on a terminal."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    if not on_terminal():
        sys.stdout.writelines(lines)
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line, end="", style=colours.get(line[:1]), markup=False)


def print_findings(findings: Sequence[Finding], form: str) -> None:
    """A line each as `text`, one list as `json`, or annotations for the review page as `github`."""
    if form == "json":
        print_json([asdict(f) for f in findings])
        return
    for finding in findings:
        print(_annotation(finding) if form == "github" else finding)


def _annotation(finding: Finding) -> str:
    position = f"file={_property(finding.file)},line={finding.line},col={finding.column}"
    title = f",title={_property(finding.tenant)}" if finding.tenant else ""
    return f"::error {position}{title}::{_data(f'{finding.wrong}; {finding.right}')}"


def _data(text: str) -> str:
    """As GitHub's workflow commands want it (documentation of workflow commands, 2026-11)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
