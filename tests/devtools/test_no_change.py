"""What counts as a change of something that an earlier commit deployed."""

from typing import Any

import pytest

from devtools.no_change import compare, main

FUNCTION = "aws:lambda/function:Function"
URN = "urn:pulumi:dev::tenantry::{type}::{name}"


def step(op: str, type_: str, name: str, *reasons: str) -> dict[str, Any]:
    urn = URN.format(type=type_, name=name)
    return {"op": op, "urn": urn, "newState": {"type": type_}, "diffReasons": list(reasons)}


def preview(*steps: dict[str, Any], same: int = 0) -> dict[str, Any]:
    counts = {"same": same, **{s["op"]: 1 for s in steps}}
    return {"steps": [*steps, step("same", FUNCTION, "untouched")], "changeSummary": counts}


def test_new_code_of_a_function_alone_is_no_change() -> None:
    found = compare("dev", preview(step("update", FUNCTION, "mover-function", "code"), same=9))
    assert (found.code_only, found.changed) == (("mover-function",), ())
    assert str(found) == "dev: 10 resources, 9 unchanged, code of 1 functions (mover-function), 0 changed"


@pytest.mark.parametrize(
    "change",
    [
        step("update", FUNCTION, "mover-function", "code", "timeout"),
        step("update", FUNCTION, "mover-function"),
        step("replace", FUNCTION, "mover-function", "code"),
        step("update", "aws:s3/bucket:Bucket", "reports", "code"),
        step("create", "aws:s3/bucket:Bucket", "reports"),
        step("delete", "aws:s3/bucket:Bucket", "reports"),
    ],
    ids=lambda s: f"{s['op']}-{'-'.join(s['diffReasons'])}",
)
def test_anything_else_is_a_change_and_is_named(change: dict[str, Any]) -> None:
    found = compare("dev", preview(change, same=3))
    assert found.code_only == ()
    (line,) = found.changed
    assert line.startswith(f"{change['op']} {change['urn']}")


def test_a_commit_that_does_not_exist_is_refused_before_anything_is_made(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["no-such-commit"]) == 2
    assert capsys.readouterr().err.startswith("error: git rev-parse")
