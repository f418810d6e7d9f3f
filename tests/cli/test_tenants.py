"""`tenantry tenants`: exit statuses, what is printed where, what is written, and what is loaded."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.tenants import app
from tenants import open_registry
from tenants.entries import entry_text
from tests.cells import PROJECT, ROOT
from tests.registry.project import project
from tests.team_files import guarded

NOVA = ("name=Nova Pay", "isolation=pool", "residency=eu", "plan=starter", "contacts.email=ops@nova.example")
BY_HAND = """\
nova-pay:
  name: Nova Pay
  isolation: pool
  residency: eu
  plan: starter
  contacts: {email: ops@nova.example}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = project(tmp_path / "project")
    open_registry("dev", root=found, locked=False)
    return found


def call(root: Path, *words: str) -> Result:
    result = CliRunner().invoke(app, [*words, "--root", str(root)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def files(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text("utf-8") for p in root.rglob("*") if p.is_file()}


# ------------------------------------------------------------------ check


def test_check_is_0_when_fine_1_with_findings_2_when_misused(root: Path) -> None:
    fine = call(root, "check")
    assert (fine.exit_code, fine.stdout, fine.stderr) == (0, "", "dev: 1 tenant, nothing wrong\n")
    (root / "tenants" / "dev.yaml").write_text("acme-pay: 1\n", "utf-8")
    assert call(root, "check").exit_code == 1
    misused = call(root, "check", "dve")
    assert misused.exit_code == 2
    assert "stack dve has no registry in tenants/; did you mean 'dev'?" in " ".join(misused.stderr.split())
    assert call(root, "chekc").exit_code == 2


def test_check_prints_json_and_annotations(root: Path) -> None:
    text = BY_HAND.replace("starter", '"50%, ok: no"')
    (root / "tenants" / "dev.yaml").write_text(text, "utf-8")
    found = json.loads(call(root, "check", "--format", "json").stdout)
    assert found == json.loads(call(root, "check", "--json").stdout)
    assert [(f["file"], f["line"], f["column"], f["tenant"]) for f in found] == [
        ("tenants/dev.yaml", 1, 1, "acme-pay"),
        ("tenants/dev.yaml", 5, 9, "nova-pay"),
    ]
    annotations = call(root, "check", "--format", "github").stdout.splitlines()
    assert annotations[1] == (
        "::error file=tenants/dev.yaml,line=5,col=9,title=nova-pay::"
        "plan '50%25, ok: no' is not allowed; expected the id of a service plan in plans.yaml"
    )


def test_a_stack_is_locked_where_ci_is_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "tenants" / "dev.yaml"
    path.write_text(path.read_text("utf-8") + BY_HAND, "utf-8")
    monkeypatch.delenv("CI", raising=False)
    assert call(root, "check").exit_code == 0
    assert call(root, "check", "--locked").exit_code == 1
    monkeypatch.setenv("CI", "1")
    assert "ledger update dev and commit" in call(root, "check").stdout
    assert call(root, "check", "--no-locked").exit_code == 0


def test_registries_without_a_fault_are_sound() -> None:
    assert call(PROJECT, "check", "--locked").exit_code == 0
    assert call(PROJECT, "ledger", "check").exit_code == 0


# ------------------------------------------------------------------ looking


def test_list_is_a_plain_table_or_json(root: Path) -> None:
    lines = call(root, "list").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["id", "stack", "name", "isolation", "network", "plan", "residency", "phase", "place"],
        ["acme-pay", "dev", "Acme", "Pay", "pool", "shared", "starter", "eu", "active", "shard-a"],
    ]
    (row,) = json.loads(call(root, "list", "dev", "--json").stdout)
    assert (row["id"], row["place"]) == ("acme-pay", "shard-a")


def test_show_says_where_with_whom_and_at_what_cost() -> None:
    pooled = call(PROJECT, "show", "cobalt-fx").stdout
    assert "role and schema of its own on shard-a, place 3" in pooled
    assert "shares with amber-pay, birch-lending, delta-invoice\n" in pooled
    assert "50 requests a second, 100 at once, 1,000,000 a month; budget 600 USD a month" in pooled
    assert "1 of 40 database instances" not in pooled
    answer = json.loads(call(PROJECT, "show", "fjord-custody", "--json").stdout)
    assert answer["data"] == "a database of its own in a network of its own, 10.64.0.0/21"
    assert answer["shares_with"] == []
    takes = {t["what"]: (t["count"], t["of"]) for t in answer["takes"]}
    assert takes["database instances"] == (1, 40)
    assert takes["networks (VPCs)"] == (1, 5)
    assert "database parameter groups" not in takes


def test_show_asks_the_project_which_resources_there_are(root: Path) -> None:
    (root / "pyproject.toml").write_text('[tool.tenantry]\ninventory = "teller_of_a_test:tell"\n', "utf-8")
    teller = (
        "def tell(registry, cell, tenant):\n    yield 'bucket', f'{registry.stack}-{tenant}-{cell.account}'\n"
    )
    (root / "teller_of_a_test.py").write_text(teller, "utf-8")
    assert "  has         bucket dev-acme-pay-111122223333\n" in call(root, "show", "acme-pay").stdout
    answer = json.loads(call(root, "show", "acme-pay", "--json").stdout)
    assert answer["resources"] == [{"kind": "bucket", "name": "dev-acme-pay-111122223333"}]


def test_show_of_nobody_names_the_nearest(root: Path) -> None:
    result = call(root, "show", "acme-pya")
    assert result.exit_code == 2
    assert "no tenant acme-pya; did you mean 'acme-pay'?" in " ".join(result.stderr.split())


def test_capacity_draws_and_says_what_breaks_first(root: Path) -> None:
    out = call(root, "capacity").stdout
    assert re.search(r"^  #######\.{13}      1 of 3        shard-a$", out, re.MULTILINE)
    assert "room for 5 more pool tenants, then the places on shards (6) are used up" in out
    assert "room for 2 more dedicated tenants, then the address blocks (2) are used up" in out
    shutil.copy(ROOT / "tenants" / "quotas.yaml", root / "tenants")
    (answer,) = json.loads(call(root, "capacity", "--json").stdout)
    assert answer["room"][1] == {"kind": "silo", "more": 35, "until": "database instances (40)"}


def test_capacity_is_exactly_what_the_check_lets_in(root: Path) -> None:
    shutil.copy(ROOT / "tenants" / "quotas.yaml", root / "tenants")
    path = root / "tenants" / "dev.yaml"
    silo = {"name": "S", "isolation": "silo", "residency": "eu", "plan": "starter"}
    silo |= {"contacts": {"email": "a@b.example"}}
    more = [entry_text(f"silo-{n:02d}", silo) for n in range(36)]
    base = path.read_text("utf-8")
    path.write_text(base + "".join(more[:35]), "utf-8")
    assert call(root, "check", "--no-locked").exit_code == 0
    path.write_text(base + "".join(more), "utf-8")
    assert "silo-35: is the first that does not fit the quota of database" in call(root, "check").stdout


# ------------------------------------------------------------------ editing


def test_add_is_what_a_person_would_have_written(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = project(tmp_path_factory.mktemp("by-hand"))
    open_registry("dev", root=other, locked=False)
    path = other / "tenants" / "dev.yaml"
    path.write_text(path.read_text("utf-8") + BY_HAND, "utf-8")
    open_registry("dev", root=other, locked=False)
    assert call(root, "add", "nova-pay", *NOVA).exit_code == 0
    assert files(root) == files(other)


def test_a_dry_run_shows_the_same_diff_and_writes_nothing(root: Path) -> None:
    before = files(root)
    dry = call(root, "add", "nova-pay", *NOVA, "--dry-run")
    assert (dry.exit_code, dry.stderr) == (0, "nova-pay: not written\n")
    assert files(root) == before
    assert "+  contacts: {email: ops@nova.example}\n" in dry.stdout
    assert "+  shard-a/02: nova-pay\n" in dry.stdout
    real = call(root, "add", "nova-pay", *NOVA, "--json")
    assert json.loads(real.stdout) == {
        "stack": "dev",
        "tenant": "nova-pay",
        "written": True,
        "diff": dry.stdout,
    }
    assert files(root) != before


def test_set_writes_one_line(root: Path) -> None:
    before = (root / "tenants" / "dev.yaml").read_text("utf-8")
    assert call(root, "set", "acme-pay", "plan=premium").exit_code == 0
    after = (root / "tenants" / "dev.yaml").read_text("utf-8")
    assert after == before.replace("plan: starter", "plan: premium")
    again = call(root, "set", "acme-pay", "plan=premium")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "acme-pay: nothing to change\n")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("set", "acme-pay", "plan=gold"), 1, "plan 'gold' is not in plans.yaml; allowed: starter, premium"),
        (("set", "acme-pay", "isolation=silo"), 1, "the tenant's data lives in the pool"),
        (
            ("set", "acme-pay", "overrides.storage_gib=50"),
            1,
            "overrides.storage_gib is for silo tenants only",
        ),
        (("set", "acme-pay", "plam=x"), 2, "there is no field 'plam'; did you mean 'plan'?"),
        (("set", "nobody", "plan=x"), 2, "no tenant nobody; allowed: acme-pay"),
        (("add", "acme-pay", *NOVA), 2, "acme-pay: is in the registry already; change it with set"),
        (("add", "nova-pay", *NOVA[1:]), 1, "nova-pay: name is missing; add it"),
        (("add", "Nova", *NOVA), 1, "tenant id 'Nova' is not allowed"),
        (("ledger", "init", "dev"), 2, "tenants/ledger/dev.yaml exists"),
        (("schema", "registri"), 2, "there is no schema registri; did you mean 'registry'?"),
    ],
)
def test_what_is_refused_is_said_and_writes_nothing(
    root: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    before = files(root)
    result = call(root, *words)
    assert result.exit_code == code
    assert message in " ".join((result.stdout + result.stderr).split())
    assert files(root) == before


def test_an_edit_names_its_stack_where_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACK", raising=False)
    result = call(PROJECT, "add", "nova-pay", *NOVA, "--dry-run")
    assert result.exit_code == 2
    assert "say which with --stack: dev, prod" in result.stderr


# ------------------------------------------------------------------ ledgers


def test_a_first_ledger_is_made_once(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / "tenants" / "ledger" / "dev.yaml").unlink()
    assert "tenantry tenants ledger init dev" in call(root, "check").stdout
    assert call(root, "ledger", "update").exit_code == 1
    assert call(root, "ledger", "init", "dev").exit_code == 0
    assert call(root, "ledger", "check").stderr == (
        "dev: 1 tenants, 1 places on 1 shards, 0 blocks: none overlap, all inside their parents; 0 rest\n"
    )
    assert call(root, "check", "--locked").exit_code == 0


def test_ledger_check_wants_complete_ledgers(root: Path) -> None:
    path = root / "tenants" / "dev.yaml"
    path.write_text(path.read_text("utf-8") + BY_HAND, "utf-8")
    assert call(root, "check", "--no-locked").exit_code == 0
    assert call(root, "ledger", "check").exit_code == 1
    assert call(root, "ledger", "update", "dev").exit_code == 0
    answer = json.loads(call(root, "ledger", "check", "--json").stdout)
    assert answer == {"findings": [], "places": {"dev": {"acme-pay": "shard-a", "nova-pay": "shard-a"}}}


# ------------------------------------------------------------------ the process


def process(code: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the Python of this process with the code of a checkout, away from it."""
    environment = guarded({**os.environ, "PYTHONPATH": str(code), **env})
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, check=False, cwd="/"
    )


def test_it_runs_as_a_module(checkout: Path) -> None:
    done = process(checkout, "-m", "tenants", "check", CI="true")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "dev: 6 tenants, nothing wrong\nprod: 30 tenants, nothing wrong\n"


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], ("pulumi", "boto3", "yaml", "ruamel", "rich", "tenants.registry")),
        (["check"], ("pulumi", "boto3", "ruamel", "rich", "plan", "components")),
    ],
)
def test_what_is_slow_is_loaded_only_where_it_is_needed(
    checkout: Path, words: list[str], unwanted: tuple[str, ...]
) -> None:
    program = (
        "import sys; sys.argv = ['tenants', *sys.argv[1:]]\n"
        "from cli.tenants import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print('loaded', *sorted(sys.modules))\n"
    )
    done = process(checkout, "-c", program, *words)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"loaded", "typer", "cli.tenants"} <= loaded
    assert loaded & set(unwanted) == set()


def test_a_file_that_cannot_be_written_is_one_sentence(root: Path) -> None:
    folder = root / "tenants" / "ledger"
    shutil.rmtree(folder)
    folder.write_text("in the way", "utf-8")
    done = process(ROOT, "-m", "tenants", "ledger", "init", "dev", "--root", str(root))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def on_a_terminal(code: Path, *words: str) -> str:
    """What a person sees: the process writes to a pseudo terminal."""
    reader, writer = pty.openpty()
    environment = guarded({**os.environ, "PYTHONPATH": str(code), "TERM": "xterm-256color", "COLUMNS": "120"})
    command = [sys.executable, "-m", "tenants", *words]
    subprocess.run(command, stdout=writer, env=environment, cwd="/", check=True)
    os.close(writer)
    chunks: list[bytes] = []
    with contextlib.suppress(OSError):  # Linux ends a pseudo terminal so
        while chunk := os.read(reader, 65536):
            chunks.append(chunk)
    os.close(reader)
    return b"".join(chunks).decode()


def test_a_terminal_gets_lines_bars_and_colour_and_a_pipe_does_not(checkout: Path) -> None:
    assert "━" in on_a_terminal(checkout, "list", "dev").replace("─", "━")
    assert "█" in on_a_terminal(checkout, "capacity", "dev")
    diff = on_a_terminal(checkout, "set", "amber-pay", "plan=standard", "--dry-run")
    assert "\x1b[" in diff
    for words in (("list", "dev"), ("capacity", "dev"), ("set", "amber-pay", "plan=standard", "--dry-run")):
        plain = process(checkout, "-m", "tenants", *words).stdout
        assert plain.isascii()
        assert "\x1b" not in plain
