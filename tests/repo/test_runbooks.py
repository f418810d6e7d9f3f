"""Runbooks: one form, commands and messages that exist, and steps that lead where the page says."""

import itertools
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from cli.app import app
from tenants.phases import Phase, transition_by
from tenants.project import Project
from tests.cells import PROJECT, ROOT
from tests.repo.documented_commands import blocks, commands, section
from tests.repo.typed_commands import commands_in, refusal

FOLDER: Final = ROOT / "docs" / "runbooks"
BOOKS: Final = sorted(FOLDER.glob("*.md"))
FORM: Final = ["When to use", "Before you begin", "Steps", "How to go back", "What can go wrong"]
TENANT: Final = "harbour-pay"
# Whose messages the tables quote; AWS's own are not in it.
CODE: Final = ("cli", "config", "functions", "plan", "policies", "recovery", "tenants", "components")
OF_AWS: Final = frozenset(
    {
        "AccessDenied",
        "OptInRequired",
        "SubscriptionRequiredException",
        "the circuit breaker threshold was exceeded",
        "No rollback candidate was found",
    }
)


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_a_runbook_has_the_form_of_all(book: Path) -> None:
    headings = re.findall(r"^## (.*)$", book.read_text("utf-8"), re.MULTILINE)
    assert [h for h in headings if h in FORM] == FORM
    assert headings[0] == FORM[0]
    assert list(blocks(section(book, "Steps"))), "steps without a command"


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_every_command_that_is_named_exists_with_its_arguments(book: Path) -> None:
    named = set(commands_in(book.read_text("utf-8")))
    assert [wrong for command in sorted(named) if (wrong := refusal(command))] == []


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_every_link_and_every_test_that_is_named_leads_somewhere(book: Path) -> None:
    text = book.read_text("utf-8")
    links = [book.parent / link for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text)]
    files = [ROOT / name for name in re.findall(r"`((?:tests|docs)/[a-z_/.-]+)`", text)]
    assert [str(p) for p in (*links, *files) if not p.exists()] == []


def test_every_runbook_can_be_found_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "`docs/runbooks/`" in readme
    assert [b.name for b in BOOKS if f"](docs/runbooks/{b.name})" not in readme] == []


def code() -> list[str]:
    """The texts of all modules and queries, with literals that go on in the next line joined."""
    files = (p for room in CODE for p in (ROOT / room).rglob("*.*") if p.suffix in (".py", ".sql"))
    return [re.sub(r'"\s+f?"', "", p.read_text("utf-8")) for p in files]


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_what_a_run_is_quoted_to_say_is_what_it_says(book: Path) -> None:
    """In the first column of the table; … stands for what differs."""
    table = section(book, FORM[-1])
    assert "| message | what to do |" in table
    quoted = {
        q
        for cell in re.findall(r"^\| ([^|]*)\|", table, re.MULTILINE)
        for q in re.findall(r"`([^`]+)`", cell)
    }
    # What a message fills in is a field of an f-string: {…}
    patterns = {
        q: r".{1,60}?".join(re.escape(part) for part in re.split(r"…|prod-us", q)) for q in quoted - OF_AWS
    }
    texts = code()
    assert quoted, "a runbook without a message"
    assert [q for q, pattern in patterns.items() if not any(re.search(pattern, t) for t in texts)] == []


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stacks of tests/project with the README's tenant, on 1 December 2026; no pulumi on PATH."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("TENANTRY_TODAY", "2026-12-01")
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    shutil.copy2(ROOT / "tenants" / "quotas.yaml", tmp_path / "tenants")
    (entry,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    with (tmp_path / "tenants" / "dev.yaml").open("a", encoding="utf-8") as registry:
        registry.write(f"\n{entry}")
    run(tmp_path)
    return tmp_path


def run(root: Path) -> None:
    """What a run of `pulumi up` does to the ledger."""
    tenantry(root, ["tenants", "ledger", "update", "dev"])


def tenantry(root: Path, words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "--root", str(root)])
    assert done.exit_code == 0, f"{shlex.join(words)}: {done.output}"


def play(root: Path, block: str) -> Phase:
    """Type a block of a runbook, and return the tenant's phase; `make up` only records the run."""
    for words in commands(block):
        if words[:2] == ["tenantry", "tenants"]:
            tenantry(root, words[1:])
        elif words == ["make", "up"]:
            run(root)
    return phase(root)


def phase(root: Path) -> Phase:
    ledger = Project(root).ledger("dev")[0]
    return ledger.placements[TENANT].phase if TENANT in ledger.placements else Phase.ERASED


def steps(book: str) -> Iterator[str]:
    return blocks(section(FOLDER / book, "Steps"))


@pytest.mark.parametrize("book", ["moving-a-tenant.md", "restoring-a-tenant.md"])
def test_the_steps_of_a_move_lead_through_every_stage(
    root: Path, monkeypatch: pytest.MonkeyPatch, book: str
) -> None:
    begin, following, *_ = steps(book)
    reached = [play(root, begin)]
    while reached[-1] is not Phase.ACTIVE:
        monkeypatch.setenv("TENANTRY_TODAY", f"2027-0{len(reached)}-01")  # soaks in between
        reached.append(play(root, following))
    assert reached == [
        *(Phase.PREPARE, Phase.REPLICATE, Phase.CUTOVER, Phase.SOAK, Phase.DONE),
        Phase.ACTIVE,
    ]


def test_a_move_is_called_off_as_the_table_says(root: Path) -> None:
    begin, following, *_ = steps("moving-a-tenant.md")
    rows = re.findall(
        r"^\| (`prepare`.*|`cutover`.*)$", section(FOLDER / "moving-a-tenant.md", FORM[3]), re.MULTILINE
    )
    for row in rows:
        back, on = (c.split() for c in re.findall(r"`tenantry (tenants move [^`]+)`", row))
        for stages in range(len(re.findall(r"`(?:prepare|replicate|cutover|soak)`", row.split("|")[0]))):
            play(root, begin)
            for _ in range(stages + (2 if "cutover" in row else 0)):
                play(root, following)
            for words in (back, *[on] * (2 if "twice" in row else 1)):
                tenantry(root, words)
                run(root)
            assert phase(root) is Phase.ACTIVE
    assert len(rows) == 2


DAYS: Final[Mapping[str, str]] = {"closing": "2034-01-01", "erasing": "2034-02-05"}  # when the runbook waits


def test_the_steps_of_offboarding_lead_to_the_certificate(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[Phase] = []
    for block, day in zip(steps("offboarding-a-tenant.md"), ("", "", "", *DAYS.values(), ""), strict=True):
        if day:
            monkeypatch.setenv("TENANTRY_TODAY", day)
        reached.append(play(root, block))
    assert reached == [*phases_that_all_pass_who_leave()]


def phases_that_all_pass_who_leave() -> Iterator[Phase]:
    """Phase by phase, as the table of transitions leads on."""
    here = Phase.ACTIVE
    while step := transition_by("offboard" if here is not Phase.ACTIVE else "suspend", here):
        yield (here := step.after)


def test_a_step_before_its_day_is_refused(root: Path) -> None:
    *before, closing = itertools.islice(steps("offboarding-a-tenant.md"), 4)
    for block in before:
        play(root, block)
    with pytest.raises(AssertionError, match="must be kept until 2033-12-31"):
        play(root, closing)


def test_the_steps_of_a_new_key_give_the_second_one(root: Path) -> None:
    for block in steps("rotating-a-tenants-key.md"):
        play(root, block)
    assert Project(root).ledger("dev")[0].placements[TENANT].key == 2
