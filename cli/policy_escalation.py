"""What `tenantry policy escalation` does. Each function returns its exit code."""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path as File

from policies.engine import preview_of
from policies.escalation import Path, Report, analyse
from policies.escalation.examples import WORKER, example
from policies.escalation.techniques import TECHNIQUES
from policies.preview import PreviewError, read_preview
from policies.settings import settled

NONE, FOUND = 0, 1


def escalation(file: File | None, stack: str | None, *, as_json: bool) -> int:
    """Print every path of a saved preview or state, else of a preview that the engine on PATH makes.

    Returns 1 if there is any. Raises `PreviewError` or `DocumentError` for what cannot be read.
    """
    preview = read_preview(file) if file else preview_of(stack or os.environ.get("STACK", "dev"))
    if not preview.plan.resources:
        raise PreviewError(f"{file or 'the preview'}: there is no resource in it; save it with --show-sames")
    report = analyse(settled(preview.plan, stack))
    if not preview.whole:
        print("note: what stays as it is is left out; save the preview with --show-sames", file=sys.stderr)
    print(json.dumps(asdict(report), indent=2) if as_json else "\n".join(lines(report)))
    return FOUND if report.paths else NONE


def lines(report: Report) -> Iterable[str]:
    """The report for people."""
    for path in report.paths:
        yield from _path(path)
    acting = len({role for role, _ in report.declared})
    yield (
        f"{report.roles} roles, {report.sources} of workloads and tenants, {len(TECHNIQUES)} techniques:"
        f" {len(report.paths) or 'no'} path{'' if len(report.paths) == 1 else 's'} to more than a role has"
    )
    if report.declared:
        tenants = len({tenant for _, tenant in report.declared})
        yield f"as declared, {acting} roles act for {tenants} tenants, for one at a time"
    for role, techniques in report.at_worst:
        yield f"cannot tell: role {role} could at worst {', '.join(techniques)}"
    if report.unclear and not report.at_worst:
        yield "whatever is not known yet, the boundaries leave no way to change a role or to run as another"
    for what in report.unclear:
        yield f"cannot tell: {what}"


def _path(path: Path) -> Iterable[str]:
    under = ", under a condition" if path.conditional else ""
    yield f"{path.kind} role {path.source} reaches {path.sink}{under}"
    for hop in path.hops:
        yield f"    {hop.start} -> {hop.end}"
        for by, when in zip(hop.by, hop.when, strict=True):
            yield f"        by {by}" + (f", if {'; '.join(when)}" if when else "")


def try_examples(*, as_json: bool) -> int:
    """Whether each technique finds its own bad example: 0 if all do, else 1."""
    found: dict[str, list[str]] = {}
    for technique in TECHNIQUES:
        paths = analyse(example(technique)).paths
        mine = [p.sink for p in paths if p.source == WORKER and technique.id in p.hops[0].by]
        found[f"{technique.id} ({technique.way})"] = mine
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        for name, sinks in found.items():
            print(f"{'found' if sinks else 'MISSED':<8}{name}: {sinks[0] if sinks else 'nothing'}")
        print(f"{sum(map(bool, found.values()))} of {len(found)} techniques find their example")
    return NONE if all(found.values()) else FOUND
