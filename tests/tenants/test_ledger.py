"""The ledger's file: its own text read back, opened runs, and merges made by git itself."""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.edits import init_ledger
from config.yaml_editing import set_fields
from tenants import RegistryError, examination, open_registry
from tenants.entries import add_entry, entry_text
from tenants.ledger import parse_ledger, render_ledger
from tenants.models import Ledger
from tenants.phases import Phase
from tenants.states import Leaving
from tests.cells import PROJECT
from tests.registry.project import project
from tests.strategies import DAY, World, edits, small_cell, worlds
from tests.tenants.test_allocation import pool

CONTACTS = {"email": "ops@acme.example"}
POOL: dict[str, object] = {
    "name": "A",
    "isolation": "pool",
    "residency": "eu",
    "plan": "starter",
    "contacts": CONTACTS,
}
DEDICATED = POOL | {"isolation": "silo", "network": "dedicated", "plan": "premium"}


def registry(root: Path) -> Path:
    return root / "tenants" / "dev.yaml"


def ledger(root: Path) -> Path:
    return root / "tenants" / "ledger" / "dev.yaml"


def add(root: Path, id_: str, values: dict[str, object]) -> None:
    path = registry(root)
    path.write_text(add_entry(path.read_text("utf-8"), id_, values), "utf-8")


@given(worlds(), st.data())
def test_what_is_written_is_what_is_read(world: World, data: st.DataObject) -> None:
    for _ in range(3):
        world = data.draw(edits(world)).apply(world).run()
    text = render_ledger(world.ledger, "prod")
    assert parse_ledger(text, "x", world.cell.parent) == (world.ledger, [])
    assert render_ledger(parse_ledger(text, "x")[0], "prod") == text


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_ledgers_are_complete_and_as_written(stack: str) -> None:
    found = open_registry(stack, root=PROJECT, locked=True)
    text = (PROJECT / "tenants" / "ledger" / f"{stack}.yaml").read_text("utf-8")
    assert render_ledger(found.ledger, stack) == text
    assert len(set(found.ledger.shards.values())) == {"dev": 1, "prod": 2}[stack]


def test_a_local_run_adds_what_is_missing_and_a_locked_one_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path)
    before = ledger(root).read_bytes()
    monkeypatch.setenv("CI", "true")
    right = r"^tenants/dev\.yaml:1:1: acme-pay: has no place.*; run tenantry tenants ledger update dev and"
    with pytest.raises(RegistryError, match=right):
        open_registry("dev", root=root)
    with pytest.raises(RegistryError, match=right):
        open_registry("dev", root=root, locked=True)
    assert ledger(root).read_bytes() == before
    monkeypatch.setenv("CI", "false")
    assert open_registry("dev", root=root).ledger.shards == {"acme-pay": "shard-a"}
    assert "  shard-a/01: acme-pay\n" in ledger(root).read_text("utf-8")
    written = ledger(root).stat()
    assert open_registry("dev", root=root, locked=True).ledger.shards == {"acme-pay": "shard-a"}
    open_registry("dev", root=root, locked=False)
    assert ledger(root).stat() == written, "a run without news must not write"


def test_a_removed_ledger_is_refused_while_there_are_tenants(tmp_path: Path) -> None:
    root = project(tmp_path)
    open_registry("dev", root=root, locked=False)
    ledger(root).unlink()
    with pytest.raises(
        RegistryError, match=r"the ledger of dev is missing.*git checkout -- tenants/ledger/dev\.yaml"
    ):
        open_registry("dev", root=root, locked=False)
    assert not ledger(root).exists()


def test_a_stack_without_a_registry_is_refused_by_name() -> None:
    right = r"^tenants/prdo\.yaml:1:1: stack prdo has no registry; write .* a stack that has one: dev, prod$"
    with pytest.raises(RegistryError, match=right):
        open_registry("prdo", root=PROJECT)


def test_a_stack_whose_name_would_cut_others_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path)
    for path in (root / "Pulumi.dev.yaml", registry(root), ledger(root)):
        path.rename(path.with_name(path.name.replace("dev", "production-frankfurt")))
    with pytest.raises(RegistryError, match=r"the stack's name has 20 characters; at most 18"):
        open_registry("production-frankfurt", root=root, locked=False)


def test_leaving_by_stages_frees_and_entombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path)
    open_registry("dev", root=root, locked=False)
    for month, state in enumerate(("suspended", "exported", "retained", "closing", "erasing", "erased"), 1):
        monkeypatch.setattr(examination, "today", lambda month=month: date(2027, month, 1))
        changes = {"state": state, "leaving.retain_until": date(2027, 3, 31)}
        text = set_fields(registry(root).read_text("utf-8"), "acme-pay", changes)
        registry(root).write_text(text, "utf-8")
        with pytest.raises(RegistryError, match=rf"in the ledger and {state} here"):
            open_registry("dev", root=root, locked=True)
        open_registry("dev", root=root, locked=False, phases=frozenset(Phase))
    found = open_registry("dev", root=root, locked=False, phases=frozenset(Phase))
    assert found.tenants == ()
    assert set(found.ledger.erased) == {"acme-pay"}
    assert set(found.ledger.resting) == {"shard-a/01"}
    registry(root).write_text("", "utf-8")
    assert open_registry("dev", root=root, locked=True).tenants == ()
    add(root, "acme-pay", POOL)
    with pytest.raises(RegistryError, match=r"acme-pay: is the id of a tenant that was erased"):
        open_registry("dev", root=root, locked=False)


def test_a_ledger_that_git_knows_is_not_made_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    assert git(root, "commit", "-q", "-m", "base").returncode == 0
    ledger(root).unlink()
    assert init_ledger(root, "dev") == 1
    assert "was there in git before" in capsys.readouterr().out
    git(root, "commit", "-q", "-a", "-m", "remove it")
    assert init_ledger(root, "dev") == 1
    assert not ledger(root).exists()


# ------------------------------------------------------------------ merges


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    name = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *name, *words], cwd=root, capture_output=True, text=True, check=False)


def branches(root: Path, one: Callable[[Path], None], other: Callable[[Path], None]) -> str:
    """Make both edits on branches of their own, each with its run, and merge; the output of the merge."""
    git(root, "init", "-q", "-b", "main")
    open_registry("dev", root=root, locked=False)
    git(root, "add", ".")
    assert git(root, "commit", "-q", "-m", "base").returncode == 0
    for name, edit in (("one", one), ("other", other)):
        git(root, "checkout", "-q", "-b", name, "main")
        edit(root)
        open_registry("dev", root=root, locked=False)
        assert git(root, "commit", "-q", "-a", "-m", name).returncode == 0
    return git(root, "merge", "one").stdout


def resolve(root: Path, sides: dict[str, dict[str, object]]) -> None:
    """What the refusal of a conflict asks for: both sides of the registry, one side of the ledger, update."""
    base = git(root, "show", "main:tenants/dev.yaml").stdout
    registry(root).write_text(base + "".join(entry_text(i, v) for i, v in sides.items()), "utf-8")
    assert git(root, "checkout", "--ours", "tenants/ledger/dev.yaml").returncode == 0
    open_registry("dev", root=root, locked=False)


@pytest.mark.parametrize("kind", [POOL, DEDICATED], ids=["pool", "dedicated"])
def test_two_branches_that_want_one_place_conflict(kind: dict[str, object], tmp_path: Path) -> None:
    # The ids are far apart, so that git has no other reason for a conflict than the place itself.
    root = project(tmp_path)
    for filler in ("bolt-fx", "crown-pay", "delta-pay", "ember-pay"):
        add(root, filler, POOL | {"isolation": "silo", "plan": "premium"})
    out = branches(root, lambda r: add(r, "aaa-first", kind), lambda r: add(r, "zzz-last", kind))
    assert "CONFLICT (content): Merge conflict in tenants/ledger/dev.yaml" in out
    with pytest.raises(RegistryError, match=r"tenants/ledger/dev\.yaml:\d+:1: an unresolved merge conflict"):
        open_registry("dev", root=root, locked=False)
    resolve(root, {"aaa-first": kind, "zzz-last": kind})
    found = open_registry("dev", root=root, locked=True).ledger
    homes = [
        (found.shards.get(i), found.slots.get(i), found.networks.get(i)) for i in ("aaa-first", "zzz-last")
    ]
    assert len(set(homes)) == 2


def test_places_of_different_kinds_merge_cleanly(tmp_path: Path) -> None:
    root = project(tmp_path)
    for filler in ("bolt-fx", "crown-pay", "delta-pay", "ember-pay"):
        add(root, filler, POOL | {"isolation": "silo", "plan": "premium"})

    def first(r: Path) -> None:
        text = registry(r).read_text("utf-8")
        registry(r).write_text(entry_text("aaa-first", POOL) + text, "utf-8")

    out = branches(root, first, lambda r: add(r, "zzz-last", DEDICATED))
    assert "CONFLICT" not in out, out
    found = open_registry("dev", root=root, locked=True).ledger
    assert found.shards == {"acme-pay": "shard-a", "aaa-first": "shard-a"}
    assert found.slots == {"acme-pay": 1, "aaa-first": 2}
    assert found.networks == {"zzz-last": "10.64.0.0/21"}


def test_two_branches_that_want_the_last_place_of_a_shard_conflict(tmp_path: Path) -> None:
    root = project(tmp_path)
    add(root, "bolt-fx", POOL)
    out = branches(root, lambda r: add(r, "aaa-first", POOL), lambda r: add(r, "zzz-last", POOL))
    assert "Merge conflict in tenants/ledger/dev.yaml" in out
    resolve(root, {"aaa-first": POOL, "zzz-last": POOL})
    found = open_registry("dev", root=root, locked=True).ledger
    assert sorted(found.shards.values()) == ["shard-a"] * 3 + ["shard-b"]


@given(worlds(min_size=1, max_size=6), st.data())
def test_any_two_edits_merge_to_a_conflict_or_to_a_sound_ledger(world: World, data: st.DataObject) -> None:
    """As git's three-way merge does it, on the text of generated ledgers (`git merge-file`)."""
    sides = [data.draw(edits(world)).apply(world).run() for _ in range(2)]
    texts = [render_ledger(w.ledger, "prod") for w in (sides[0], world, sides[1])]
    code, merged = merge_file(texts)
    if code == 0:
        found, findings = parse_ledger(merged, "x", world.cell.parent)
        assert findings == []
        places = [(s, found.slots[i]) for i, s in found.shards.items()]
        assert len(set(places)) == len(places)
        assert len(set(found.networks.values())) == len(found.networks)


def merge_file(texts: list[str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name, text in zip(("ours", "base", "theirs"), texts, strict=True):
            Path(folder, name).write_text(text, "utf-8")
            names.append(name)
        done = git(Path(folder), "merge-file", "-p", *names)
        assert 0 <= done.returncode < 128, done.stderr
        return done.returncode, done.stdout


def test_freed_places_are_not_given_twice_by_a_merge() -> None:
    """Both branches reuse the same rested place: they remove one line and write another, and git sees it."""
    world = World(small_cell(), (pool("aaa"), pool("bbb"), pool("ccc")), Ledger(), DAY).run()
    stages = (Phase.SUSPENDED, Phase.EXPORTED, Phase.RETAINED, Phase.CLOSING, Phase.ERASING, Phase.ERASED)
    for months, state in enumerate(stages):
        world = replace(world, day=DAY + timedelta(days=30 * months))
        world = world.edit("bbb", state=state, leaving=Leaving(retain_until=DAY)).run()
    world = replace(world, day=world.day + timedelta(days=60))
    sides = [replace(world, entries=(*world.entries, pool(i))).run() for i in ("abc", "zyx")]
    assert all("shard-a/02" in render_ledger(w.ledger, "x") for w in sides)
    code, _ = merge_file([render_ledger(w.ledger, "x") for w in (sides[0], world, sides[1])])
    assert code > 0
