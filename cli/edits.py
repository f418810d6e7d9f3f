"""What the writing commands do: add, set, ledger init and update, schemas. Each returns its exit code."""

import difflib
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from cli.field_arguments import parse_changes
from cli.output import print_diff, print_findings, print_json, say
from config.files import write_atomically
from config.wording import allowed_or_near, counted
from config.yaml_editing import EditError, nested, set_fields
from tenants.entries import add_entry
from tenants.examination import examine
from tenants.files import ledger_file, registry_file, relative
from tenants.ledger import render_ledger
from tenants.lifecycle.registry_changes import Changes, TransitionError, TransitionOptions, take
from tenants.models import Ledger, Tenant
from tenants.project import Project
from tenants.registry import RegistryError, examine_all, open_registry
from tenants.schema import SUBJECTS, schema_file, schema_text, stale


def add_tenant(
    root: Path, stack: str, id_: str, words: Sequence[str], *, dry_run: bool, as_json: bool
) -> int:
    def edit(text: str) -> str:
        return add_entry(text, id_, nested(parse_changes(words)))

    return _edit(root, stack, id_, edit, dry_run=dry_run, as_json=as_json)


def set_tenant(
    root: Path, stack: str, id_: str, words: Sequence[str], *, dry_run: bool, as_json: bool
) -> int:
    def edit(text: str) -> str:
        return set_fields(text, id_, parse_changes(words))

    return _edit(root, stack, id_, edit, dry_run=dry_run, as_json=as_json)


def take_transition(
    root: Path,
    stack: str,
    ids: Sequence[str],
    event: str,
    options: TransitionOptions,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take a step in tenants' lives. Of several at once the ledger is written too: many were meant."""
    tenants = Project(root).entries(stack)[0].models

    def edit(text: str) -> str:
        for id_ in ids:
            if id_ not in tenants:
                raise EditError(f"{id_} cannot be read; tenantry tenants check {stack} says why")
            text = set_fields(text, id_, take(tenants[id_], event, options))
        return text

    return _edit(root, stack, ", ".join(ids), edit, dry_run=dry_run, as_json=as_json, record=len(ids) > 1)


def change_tenant(
    root: Path, stack: str, id_: str, wanted: Callable[[Tenant], Changes], *, dry_run: bool, as_json: bool
) -> int:
    """Make changes of a tenant's entry that depend on it as it is; `wanted` may raise `TransitionError`."""
    tenant = Project(root).entries(stack)[0].models.get(id_)

    def edit(text: str) -> str:
        if tenant is None:
            raise EditError(f"{id_} cannot be read; tenantry tenants check {stack} says why")
        return set_fields(text, id_, wanted(tenant))

    return _edit(root, stack, id_, edit, dry_run=dry_run, as_json=as_json)


def _edit(
    root: Path,
    stack: str,
    id_: str,
    edit: Callable[[str], str],
    *,
    dry_run: bool,
    as_json: bool,
    record: bool = False,
) -> int:
    """Make an edit, check what comes of it, show it, and write it.

    A newcomer gets its place in the ledger too. How far somebody has come is recorded by the run that
    makes it so, lest two steps be taken in one; `record` says that it is meant to be recorded now.
    """
    path = registry_file(root, stack)
    try:
        before = path.read_bytes().decode("utf-8")
        after = edit(before)
    except (EditError, TransitionError) as wrong:
        raise typer.BadParameter(str(wrong)) from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{relative(root, path)} is not UTF-8; save it so") from None
    (found,), _ = examine_all(Project(root, {path: after}), [stack], locked=False, many=record)
    if found.findings:
        print_findings(found.findings, "json" if as_json else "text")
        return 1
    ledger = ledger_file(root, stack)
    old = ledger.read_text("utf-8") if ledger.is_file() else ""
    placed = record or found.extended.placements.keys() != found.ledger.placements.keys()
    new = render_ledger(found.extended, stack) if placed else old
    changed = [(p, a, b) for p, a, b in ((path, before, after), (ledger, old, new)) if a != b]
    diff = [line for p, a, b in changed for line in _diff(relative(root, p), a, b)]
    if not dry_run:
        # The ledger first: a place that nobody has yet does no harm, a tenant without a place would.
        for target, _, text in reversed(changed):
            write_atomically(target, text)
    done = bool(changed) and not dry_run
    if as_json:
        print_json({"stack": stack, "tenant": id_, "written": done, "diff": "".join(diff)})
    else:
        print_diff(diff)
        say(f"{id_}: {'written' if done else 'not written' if changed else 'nothing to change'}")
    return 0


def _diff(name: str, before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def init_ledger(root: Path, stack: str) -> int:
    path = ledger_file(root, stack)
    if path.exists():
        raise typer.BadParameter(f"{relative(root, path)} exists; tenantry tenants ledger update adds to it")
    once = _last_commit_of(path)
    if once:
        print(
            f"{relative(root, path)} was there in git before ({once}), so {stack} may have been deployed; "
            f"find it with: git log -- {relative(root, path)}"
        )
        return 1
    project = Project(root, {path: render_ledger(Ledger(), stack)})
    found = examine(project, stack, locked=False)
    if found.findings:
        print_findings(found.findings, "text")
        return 1
    write_atomically(path, render_ledger(found.extended, stack))
    say(f"{stack}: {counted(len(found.registry.tenants), 'tenant')} placed")
    return 0


def _last_commit_of(path: Path) -> str:
    """The commit that last touched a file, "" where git knows nothing of it, or there is no git."""
    folder = next(parent for parent in path.parents if parent.is_dir())
    try:
        asked = subprocess.run(  # noqa: S603 - the words are ours, the path is after --
            ["git", "log", "-1", "--format=%h", "--", str(path)],  # noqa: S607 - the person's own git
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()


def update_ledgers(root: Path, names: Sequence[str]) -> int:
    refused = False
    for stack in names:
        try:
            registry = open_registry(stack, root=root, locked=False)
        except RegistryError as refusal:
            print(refusal)
            refused = True
        else:
            say(f"{stack}: {counted(len(registry.tenants), 'tenant')} placed")
    return 1 if refused else 0


def print_schema(root: Path, name: str) -> int:
    if name not in SUBJECTS:
        raise typer.BadParameter(f"there is no schema {name}; {allowed_or_near(name, SUBJECTS)}")
    print(schema_text(name, Project(root)), end="")
    return 0


def write_schemas(root: Path) -> int:
    project = Project(root)
    for name in SUBJECTS:
        write_atomically(schema_file(root, name), schema_text(name, project))
    return 0


def check_schemas(root: Path) -> int:
    wrong = stale(Project(root))
    for name in wrong:
        print(f"{relative(root, schema_file(root, name))} is stale; run tenantry tenants schema --write")
    return 1 if wrong else 0
