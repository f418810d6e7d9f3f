"""What the reading commands do: check, list, show, capacity, ledger check. Each returns its exit code."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import typer

from cli.output import bar, print_findings, print_json, print_table, say
from cli.unfinished_runs import unfinished_run_of
from cli.views import description, headroom, location_of, row_of, usage
from config.wording import allowed_or_near, counted
from tenants.examination import today
from tenants.project import Project
from tenants.registry import examine_all, locked_by_environment

# Of what is not in the files: whether a run has carried out what they say.
NOT_KNOWN: Final = 'not known here, since no engine can be asked; in the sandbox first: eval "$(make -s env)"'
_MUCH: Final = 0.005  # share of a quota from which `show` names it


def check(root: Path, names: Sequence[str], form: str, locked: bool | None) -> int:
    lock = locked_by_environment() if locked is None else locked
    examined, findings = examine_all(Project(root), names, locked=lock)
    print_findings(findings, form)
    for found in examined:
        if not found.findings:
            say(f"{found.stack}: {counted(len(found.registry.tenants), 'tenant')}, nothing wrong")
    return 1 if findings else 0


def list_tenants(root: Path, names: Sequence[str], *, as_json: bool) -> int:
    """The tenants that can be read; what cannot is told on standard error."""
    examined, findings = examine_all(Project(root), names, locked=False)
    rows = [
        row_of(t, found.stack, found.extended)
        for found in examined
        for t in sorted(found.entries.models.values(), key=lambda t: t.id)
    ]
    if as_json:
        print_json(rows)
    else:
        headers = ("id", "stack", "name", "isolation", "network", "plan", "residency", "phase", "place")
        print_table(headers, [[row[h] for h in headers] for row in rows])
    for finding in findings:
        say(str(finding))
    return 1 if findings else 0


def known_ids(root: Path, stack: str | None = None) -> list[str]:
    project = Project(root)
    return sorted({i for s in project.stacks if stack in (None, s) for i in project.entries(s)[0].ids})


def stack_of(root: Path, id_: str, stack: str | None, preferred: str | None = None) -> str:
    """The one stack that has the tenant, of several the preferred one; else it is wrong usage."""
    project = Project(root)
    having = [s for s in project.stacks if stack in (None, s) and id_ in project.entries(s)[0].ids]
    if len(having) == 1:
        return having[0]
    if preferred in having:
        return preferred
    if not having:
        raise typer.BadParameter(f"no tenant {id_}; {allowed_or_near(id_, known_ids(root, stack))}")
    raise typer.BadParameter(f"{id_} is in several stacks; say which with --stack: {', '.join(having)}")


def show_tenant(root: Path, stack: str, id_: str, *, as_json: bool) -> int:
    project = Project(root)
    (found,), _ = examine_all(project, [stack], locked=False)
    if found.findings or found.cell is None:
        print_findings(found.findings, "text")
        return 1
    tenant, placement = found.entries.models[id_], project.ledger(stack)[0].placements.get(id_)
    unfinished, known = unfinished_run_of(root, stack, tenant, placement)
    shown = {**description(project, found, found.cell, id_), "undone": unfinished, "known": known}
    if as_json:
        print_json(shown)
        return 0
    print(f"{id_} ({shown['name']}) in {stack}")
    for label, text in _lines(shown):
        print(f"  {label:<12}{text}")
    return 0


def _lines(shown: dict[str, Any]) -> list[tuple[str, str]]:
    """The description as labelled lines; what is not there has no line."""
    move = shown["move"]
    lines = [
        ("state", shown["state"] + (f", since {shown['since']}" if shown["since"] else "")),
        ("unfinished", shown["undone"] or (None if shown["known"] else NOT_KNOWN)),
        ("isolation", f"{shown['isolation']}, network {shown['network']}"),
        ("data", shown["data"]),
        ("move", move and f"{move}; move {shown['id']} --status says which database serves"),
        ("shares with", ", ".join(shown["shares_with"]) or "nobody"),
        ("residency", shown["residency"]),
        ("plan", f"{shown['plan']}: {_limits(shown['limits'])}"),
        ("overrides", ", ".join(f"{k} {v}" for k, v in shown["overrides"].items())),
        ("key", f"its own, rotated every {shown['key_rotation_days']} days"),
        ("protected", ", ".join(shown["protected_columns"])),
        ("contacts", ", ".join(filter(None, shown["contacts"].values()))),
        ("tags", ", ".join(f"{k}: {v}" for k, v in shown["tags"].items())),
    ]
    lines += [("has", f"{r['kind']} {r['name']}") for r in shown["resources"]]
    much = [t for t in shown["takes"] if t["count"] / t["of"] >= _MUCH]
    lines += [("takes", f"{t['count']:g} of {t['of']:,} {t['what']}") for t in much]
    lines.append(("", f"and less than {_MUCH:.1%} of {len(shown['takes']) - len(much)} other quotas"))
    return [(label, text) for label, text in lines if text]


def _limits(limits: dict[str, Any]) -> str:
    return (
        f"{limits['requests_per_second']:g} requests a second, {limits['burst']} at once, "
        f"{limits['quota']:,} a {limits['quota_period'].lower()}; "
        f"budget {limits['budget_usd_a_month']:,} USD a month"
    )


def show_capacity(root: Path, names: Sequence[str], *, as_json: bool) -> int:
    project = Project(root)
    examined, findings = examine_all(project, names, locked=False)
    if findings:
        print_findings(findings, "text")
        return 1
    stacks: list[dict[str, Any]] = []
    for found in examined:
        if found.cell is None:
            continue
        used = usage(project, found, found.cell)
        more = headroom(project, found, found.cell, today())
        stacks.append({"stack": found.stack, "used": used, "room": [asdict(r) for r in more]})
        if not as_json:
            print(f"{found.stack}: {len(found.registry.tenants)} tenants")
            for name, taken, limit in used:
                print(f"  {bar(taken, limit)} {taken:>6g} of {limit:<8g} {name}")
            for r in more:
                end = f", then the {r.until} are used up" if r.until else ", or more"
                print(f"  room for {r.more} more {r.kind} tenants{end}")
    if as_json:
        print_json(stacks)
    return 0


def check_ledgers(root: Path, names: Sequence[str], *, as_json: bool) -> int:
    examined, findings = examine_all(Project(root), names, locked=True)
    if as_json:
        places = {f.stack: {t.id: location_of(t, f.ledger) for t in f.registry.tenants} for f in examined}
        print_json({"findings": [asdict(f) for f in findings], "places": places})
    else:
        print_findings(findings, "text")
    for found in examined:
        if not found.findings:
            ledger = found.ledger
            shards = len(set(ledger.shards.values()))
            counts = f"{len(ledger.slots)} places on {shards} shards, {len(ledger.networks)} blocks"
            proof = f"none overlap, all inside their parents; {len(ledger.resting)} rest"
            say(f"{found.stack}: {len(ledger.placements)} tenants, {counts}: {proof}")
    return 1 if findings else 0
