"""docs/extending.md: each recipe is followed in a copy of the repository, and keeps what it promises."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cells import ROOT
from tests.checkout import write_checkout
from tests.repo.recipes import PAGE, Change, DoesNotApply, recipes, unread_blocks
from tests.repo.typed_commands import commands_in, refusal

RECIPES = recipes(PAGE.read_text("utf-8"))


@dataclass(frozen=True)
class Promise:
    """What the page says of a recipe, and what shows it."""

    most_files: int  # that are edited by hand
    generated: tuple[str, ...]  # what `make generate` changes
    check: str  # module of tests/repo/extended/
    missing: str  # what that ends with where nobody followed the recipe
    tests: tuple[str, ...]  # of the repository that an incomplete extension would turn red


PROMISES = {
    "Add a resource for each tenant": Promise(
        4,
        ("docs/tenant-resources.md",),
        "tenant_resource",
        "amber-pay-tenant-notifications-alarm",
        (
            *(f"tests/program/test_{name}.py" for name in ("owned_resources", "inventory", "quotas")),
            *("tests/components/test_tenant.py", "tests/repo/test_tenant_resources_page.py"),
            *(
                "tests/program/test_cell.py",
                "tests/program/test_dashboard.py",
                "tests/tenants/test_quotas.py",
            ),
        ),
    ),
    "Add a setting": Promise(
        2,
        ("Pulumi.yaml",),
        "setting",
        "KeyError: 'flowLogSeconds'",
        (
            "tests/repo/test_settings_declared.py",
            "tests/plan/test_settings.py",
            "tests/program/test_settings_used.py::test_no_setting_is_left_out",
            "tests/program/test_settings_used.py::test_another_value_by_its_type_is_another_plan_or_other_resources"
            "[flowLogSeconds]",
        ),
    ),
    "Add a guardrail": Promise(
        1,
        ("docs/controls.md", "tests/policies/reviewed_rules.yaml"),
        "guardrail",
        "KeyError: 'queue-keeps-messages'",
        (
            "tests/policies/test_rules.py",
            "tests/policies/test_evidence.py",
            "tests/policies/test_checking.py",
        ),
    ),
    "Teach the sandbox a type of resource": Promise(
        3,
        ("sandbox/aws/sdk_inputs.json", "sandbox/aws/input_rules.json", "docs/sandbox-coverage.md"),
        "sandbox_type",
        "the sandbox does not know aws:athena/workgroup:Workgroup",
        tuple(f"tests/sandbox/test_{name}.py" for name in ("descriptions", "rules", "coverage")),
    ),
    "Add a stage to a tenant's life": Promise(
        3,
        ("docs/tenant-lifecycle.md", "functions/tenant_leaving/stages.py", "tenants/registry.schema.json"),
        "phase",
        "the status offers no cancel",
        (
            *(f"tests/tenants/test_{name}.py" for name in ("lifecycle", "ledger", "phase_words")),
            *("tests/program/test_leaving.py", "tests/data/test_leaving_request.py"),
            *("tests/policies/test_phases.py", "tests/plan/test_tenant.py", "tests/repo/test_runbooks.py"),
        ),
    ),
}
EACH = pytest.mark.parametrize("title", PROMISES)


def test_the_page_has_the_recipes_and_nothing_that_is_not_tried() -> None:
    text = PAGE.read_text("utf-8")
    assert RECIPES.keys() == PROMISES.keys()
    assert unread_blocks(text) == 0
    assert "docs/extending.md" in (ROOT / "README.md").read_text("utf-8")


def test_every_command_and_file_that_is_named_exists() -> None:
    text = PAGE.read_text("utf-8")
    commands, files = set(commands_in(text)), set(re.findall(r"`([a-z_]+/[\w./-]+)`", text))
    made = {file for recipe in RECIPES.values() for file in recipe.files}
    assert [wrong for command in sorted(commands) if (wrong := refusal(command))] == []
    assert [file for file in sorted(files - made) if not (ROOT / file).exists()] == []


@EACH
def test_few_files_are_edited_by_hand_and_no_generated_one(title: str) -> None:
    promise, recipe = PROMISES[title], RECIPES[title]
    assert len(recipe.files) <= promise.most_files
    assert set(recipe.files) & set(promise.generated) == set()
    row = re.search(rf"^\| \[[^]]+\]\(#{anchor(title)}\) \| (.*) \| (.*) \|$", PAGE.read_text("utf-8"), re.M)
    assert row, f"{title}: no row in the table at the top"
    assert (row[1], sorted(re.findall(r"`([^`]+)`", row[2]))) == (
        str(len(recipe.files)),
        sorted(promise.generated),
    )


def anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


@EACH
def test_the_check_of_a_recipe_fails_where_nobody_followed_it(title: str) -> None:
    """It finds all that it asks of the program, and the new thing alone is missing."""
    check = [sys.executable, "-m", f"tests.repo.extended.{PROMISES[title].check}"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert PROMISES[title].missing in done.stderr.splitlines()[-1]


@EACH
def test_each_block_applies_to_the_files_as_they_are(title: str, tmp_path: Path) -> None:
    for file in RECIPES[title].files:
        if (ROOT / file).is_file():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    before = {file: text_of(tmp_path / file) for file in RECIPES[title].files}
    RECIPES[title].apply(tmp_path)
    assert [file for file, text in before.items() if text_of(tmp_path / file) == text] == []


def text_of(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Change("a.py", "", " one\n+new\n three\n"), "a.py has these lines 0 times"),
        (Change("a.py", "", " twice\n+new\n"), "a.py has these lines 2 times"),
        (Change("a.py", ", a new file", "new\n"), "a.py is there already"),
    ],
)
def test_a_block_that_does_not_fit_is_refused(change: Change, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\nthree\ntwice\ntwice\n", "utf-8")
    with pytest.raises(DoesNotApply, match=message):
        change.apply(tmp_path)


def test_what_a_block_says_is_what_becomes_of_the_file(tmp_path: Path) -> None:
    page = (
        "## A recipe\n\n`a.py`:\n\n```diff\n one\n-two\n+2\n\n three\n```\n\n"
        "`a.py`, at the end:\n\n```python\nend\n```\n\n`b/c.py`, a new file:\n\n```python\nnew\n```\n"
    )
    (tmp_path / "a.py").write_text("zero\none\ntwo\n\nthree\n", "utf-8")
    recipe = recipes(page)["A recipe"]
    recipe.apply(tmp_path)
    assert recipe.files == ("a.py", "b/c.py")
    assert text_of(tmp_path / "a.py") == "zero\none\n2\n\nthree\nend\n"
    assert text_of(tmp_path / "b/c.py") == "new\n"
    assert unread_blocks(page) == 0
    assert unread_blocks(page + "\n```python\nlost\n```\n") == 1


# Files made from the team's are made from those of tests/project/ before anything is added.
WRITE_THE_TEAMS = """
from devtools.generators.registered import GENERATORS, write
for generator in GENERATORS:
    if generator.of_team:
        write(generator)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository, known to git, whose generated files are fresh."""
    root = write_checkout(tmp_path / "copy")
    (root / ".venv").symlink_to(sys.prefix)
    run(root, [sys.executable, "-c", WRITE_THE_TEAMS])
    commit = "-c user.name=a -c user.email=a@b.example commit -qm before"
    for words in ("init -q", "add -A", commit):
        run(root, ["git", *words.split()])
    return root


def run(root: Path, command: Sequence[str]) -> str:
    """What a command prints; it must end well."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTEST_"))}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def changed(root: Path) -> set[str]:
    """Files that are not as they were committed."""
    lines = run(root, ["git", "status", "--porcelain", "--untracked-files=all"]).splitlines()
    return {line[3:] for line in lines}


@pytest.mark.slow
@EACH
def test_a_recipe_does_what_it_promises(title: str, copy: Path) -> None:
    promise, recipe = PROMISES[title], RECIPES[title]
    recipe.apply(copy)
    assert changed(copy) == set(recipe.files)
    run(copy, [sys.executable, "-m", "devtools.generators"])
    assert changed(copy) == {*recipe.files, *promise.generated}
    run(copy, [sys.executable, "-m", f"tests.repo.extended.{promise.check}"])
    python = [f for f in recipe.files if f.endswith(".py")]
    run(copy, [sys.executable, "-m", "ruff", "check", *python])
    run(copy, [sys.executable, "-m", "ruff", "format", "--check", *python])
    run(copy, [sys.executable, "-m", "basedpyright", *python])
    run(copy, [str(Path(sys.executable).with_name("lint-imports"))])
    run(copy, [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *promise.tests])
