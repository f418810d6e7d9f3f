"""`tenantry policy approve`: what the gate refuses is allowed by it, and nothing else."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.policy import app
from policies.exceptions import today
from policies.gate import read_approvals
from tests.policies.test_gating import DB, plan, step, urn

REASON, OWNER = "the tenant moved: its old instance is empty", "platform@tenantry.example"
KEPT = f"""\
# why we keep these
- urn: {urn(DB, "before")}  # seen by two
  operation: delete
  reason: it was empty from the beginning
  owner: a@b.example
  expires: 2999-01-01
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A plan that loses two things, one of them because of something."""
    found = tmp_path / "a plan.json"
    found.write_bytes(
        plan(
            step("delete", DB, "it"),
            step("replace", "aws:s3/bucket:Bucket", "objects", because="bucket"),
            step("delete", "aws:ec2/eip:Eip", "address"),
        )
    )
    return found


@pytest.fixture
def approvals(tmp_path: Path) -> Path:
    return tmp_path / "approvals.yaml"


def call(command: str, file: Path, approvals: Path, *more: str) -> Result:
    return CliRunner().invoke(app, [command, str(file), "--approvals", str(approvals), *more])


def approve(file: Path, approvals: Path, *more: str, reason: str = REASON, owner: str = OWNER) -> Result:
    return call("approve", file, approvals, "--reason", reason, "--owner", owner, *more)


def test_what_the_gate_refuses_is_allowed_once_it_is_approved(file: Path, approvals: Path) -> None:
    assert call("gate", file, approvals).exit_code == 1
    result = approve(file, approvals)
    assert result.exit_code == 0, result.stderr
    assert [line.split(" (")[0] for line in result.stdout.splitlines()[:-1]] == [
        f"+ delete {urn(DB, 'it')}",
        f"+ replace {urn('aws:s3/bucket:Bucket', 'objects')}",
    ]
    passed = call("gate", file, approvals)
    result = "losses of data: 2, all approved\n"
    assert (passed.exit_code, passed.stdout, passed.stderr) == (0, result, "")


def test_each_is_for_one_thing_one_operation_and_some_days(file: Path, approvals: Path) -> None:
    approve(file, approvals, "--days", "3")
    found = read_approvals(approvals)
    assert {(a.urn.rsplit("::")[-1], a.operation) for a in found} == {
        ("it", "delete"),
        ("objects", "replace"),
    }
    assert {(a.reason, a.owner, a.expires - today()) for a in found} == {(REASON, OWNER, timedelta(days=3))}


def test_nothing_to_approve_writes_nothing(file: Path, approvals: Path) -> None:
    approve(file, approvals)
    before = approvals.read_bytes()
    again = approve(file, approvals)
    assert (again.exit_code, "nothing to approve" in again.stdout) == (0, True)
    assert approvals.read_bytes() == before
    approvals.unlink()
    file.write_bytes(plan(step("create", DB, "it")))
    assert approve(file, approvals).exit_code == 0
    assert not approvals.exists()


@pytest.mark.parametrize(
    "text",
    [KEPT, KEPT.rstrip("\n"), KEPT.replace("\n", "\r\n"), re.sub(r"(?m)^(?=[- ])", "  ", KEPT), "# empty\n"],
    ids=["as written", "no last line end", "CRLF", "indented", "a comment alone"],
)
def test_what_stands_there_stays_as_it_is(file: Path, approvals: Path, text: str) -> None:
    approvals.write_bytes(text.encode())
    old = read_approvals(approvals)
    assert approve(file, approvals).exit_code == 0
    after = approvals.read_bytes().decode()
    assert after.startswith(text)
    assert ("\r\n" in text) is ("\r\n" in after[len(text) :])
    assert read_approvals(approvals)[: len(old)] == old
    assert len(read_approvals(approvals)) == len(old) + 2


def test_one_that_has_expired_is_given_anew(file: Path, approvals: Path) -> None:
    approvals.write_text(KEPT.replace("before", "it").replace("2999", "2020"), "utf-8")
    assert "+ delete" in approve(file, approvals).stdout
    passed = call("gate", file, approvals)
    assert (passed.exit_code, "has expired, on 2020-01-01; take it out" in passed.stderr) == (0, True)


@pytest.mark.parametrize(
    ("more", "words", "message"),
    [
        (("--days", "0"), {}, "greater than or equal to 1"),
        (("--days", "31"), {}, "less than or equal to 30"),
        ((), {"reason": "because"}, "--reason has 7 characters"),
        ((), {"reason": "two lines, of which\nthe second is a trap"}, "is not allowed"),
        ((), {"owner": "platform"}, "--owner 'platform' is not allowed"),
    ],
)
def test_wrong_words_are_told_and_nothing_is_written(
    file: Path, approvals: Path, more: tuple[str, ...], words: dict[str, str], message: str
) -> None:
    done = approve(file, approvals, *more, **words)
    assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
    assert not approvals.exists()


def test_a_file_to_which_nothing_can_be_added_stays_as_it_is(file: Path, approvals: Path) -> None:
    approvals.write_text("[]\n", "utf-8")
    done = approve(file, approvals)
    assert (done.exit_code, "nothing can be added at its end" in done.stderr) == (2, True)
    assert approvals.read_text("utf-8") == "[]\n"
