"""What may be replaced or deleted: nothing that holds data, unless that very thing was approved."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.policy import app
from policies.exceptions import ExceptionsError
from policies.gate import Loss, losses, read_approvals, unapproved
from policies.preview import parse_preview
from policies.stateful import STATEFUL

ON = date(2026, 11, 23)
DB = "aws:rds/instance:Instance"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::tenantry::{kind}::{name}"


def state(kind: str, name: str, *needs: str, **inputs: Any) -> dict[str, Any]:
    return {
        "urn": urn(kind, name),
        "type": kind,
        "id": f"{name}-id",
        "inputs": inputs,
        "outputs": {"arn": f"arn:{name}", **inputs},
        "dependencies": list(needs),
    }


def step(op: str, kind: str, name: str, *needs: str, because: str = "", **inputs: Any) -> dict[str, Any]:
    old = state(kind, name, *needs, **inputs)
    made: dict[str, Any] = {"op": op, "urn": old["urn"]}
    made |= {"oldState": old} if op != "create" else {}
    made |= {"newState": old} if op != "delete" else {}
    if because:
        made |= {"detailedDiff": {because: {"kind": "update-replace"}}}
    return made


def plan(*steps: dict[str, Any]) -> bytes:
    return json.dumps({"steps": list(steps), "changeSummary": {}}).encode()


def lost(*steps: dict[str, Any]) -> list[tuple[str, str]]:
    found = losses(parse_preview(plan(*steps), "x"))
    return [(x.urn.rsplit("::", 1)[-1], x.operation) for x in found]


DETECTOR = "aws:guardduty/detector:Detector"


@pytest.mark.parametrize("kind", [k for k, s in STATEFUL.items() if s.subscribers is None])
def test_whatever_holds_data_is_kept(kind: str) -> None:
    assert lost(step("delete", kind, "it")) == [("it", "delete")]
    assert lost(step("replace", kind, "it")) == [("it", "replace")]
    assert lost(step("update", kind, "it"), step("same", kind, "b"), step("create", kind, "c")) == []


def test_what_is_left_in_place_when_it_is_deleted_is_no_loss() -> None:
    """It is replaced all the same: what takes its place holds nothing."""
    kept = {"retainOnDelete": True}
    for op, found in (("delete", []), ("replace", [("it", "replace")])):
        made = step(op, DETECTOR, "it")
        made["oldState"] |= kept
        assert lost(made) == found


def test_a_detector_is_handed_over_and_not_switched_off() -> None:
    (loss,) = losses(parse_preview(plan(step("delete", DETECTOR, "it")), "x"))
    assert "holds findings, and watches the account and would be deleted; nothing was changed; where" in str(
        loss
    )
    assert "deploy once with `tenantry:detection: handover`" in str(loss)


def test_the_three_steps_of_a_replacement_are_one_loss_with_its_cause() -> None:
    steps = [
        step("create-replacement", DB, "it", because="storageEncrypted"),
        step("replace", DB, "it", because="storageEncrypted"),
        step("delete-replaced", DB, "it"),
        step("update", "aws:ssm/parameter:Parameter", "catalog", urn(DB, "it")),
    ]
    (loss,) = losses(parse_preview(plan(*steps), "x"))
    assert (loss.operation, loss.causes) == ("replace", ("storageEncrypted",))
    assert loss.needed_by == (urn("aws:ssm/parameter:Parameter", "catalog"),)
    assert "aws:rds/instance:Instance::it holds a database and would be replaced" in str(loss)
    assert "because of storageEncrypted; catalog depend on it" in str(loss)
    assert "make a second one beside it" in str(loss)


@pytest.mark.parametrize(
    ("dependents", "message"),
    [
        (["a", "b"], "; a, b depend on it;"),
        (["a", "b", "c", "d", "e"], "; a, b, c, d, e depend on it;"),
        (["a", "b", "c", "d", "e", "f", "g"], "; a, b, c, d, e and 2 more depend on it;"),
        ([], "deleted; nothing was changed;"),
    ],
)
def test_the_first_five_of_what_depends_on_a_loss_are_named(dependents: list[str], message: str) -> None:
    needed = tuple(urn("aws:x/y:Y", name) for name in dependents)
    loss = Loss(
        urn("aws:rds/instance:Instance", "db"), "delete", (), STATEFUL["aws:rds/instance:Instance"], needed
    )
    assert message in str(loss)


def test_what_holds_nothing_may_go() -> None:
    assert lost(step("delete", "aws:ec2/eip:Eip", "it")) == []


def test_a_topic_holds_its_subscriptions_and_nothing_without_them() -> None:
    topic = step("replace", "aws:sns/topic:Topic", "it")
    subscribed = step("same", "aws:sns/topicSubscription:TopicSubscription", "s", topic="arn:it")
    elsewhere = step("same", "aws:sns/topicSubscription:TopicSubscription", "s", topic="arn:other")
    assert lost(topic, subscribed) == [("it", "replace")]
    assert lost(topic, elsewhere) == []


def approvals(folder: Path, **changes: object) -> Path:
    entry = {
        "urn": urn(DB, "it"),
        "operation": "delete",
        "reason": "moved to the other cell last week",
        "owner": "platform@tenantry.example",
        "expires": ON,
    } | changes
    path = folder / "approvals.yaml"
    fields = "\n  ".join(f"{k}: {v}" for k, v in entry.items())
    path.write_text(f"- {fields}\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "on", "kept"),
    [
        ({}, ON, 0),
        ({}, ON + timedelta(days=1), 1),
        ({"operation": "replace"}, ON, 1),
        ({"urn": urn(DB, "other")}, ON, 1),
    ],
)
def test_an_approval_is_for_one_thing_one_operation_and_a_time(
    tmp_path: Path, changes: dict[str, object], on: date, kept: int
) -> None:
    found = losses(parse_preview(plan(step("delete", DB, "it")), "x"))
    assert len(unapproved(found, read_approvals(approvals(tmp_path, **changes)), on)) == kept


def test_a_malformed_approval_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ExceptionsError, match=r"approvals\.yaml:2:14: .*operation 'drop' is not allowed"):
        read_approvals(approvals(tmp_path, operation="drop"))


def gate(file: Path, approvals: Path) -> Result:
    return CliRunner().invoke(app, ["gate", str(file), "--approvals", str(approvals)])


def test_a_plan_that_loses_nothing_passes_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(plan(step("delete", "aws:ec2/eip:Eip", "a")))
    result = gate(file, tmp_path / "none.yaml")
    assert (result.exit_code, result.stdout) == (0, "no loss of data\n")


def test_the_command_names_what_may_not_go_and_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(plan(step("delete", DB, "it"), step("delete", "aws:ec2/eip:Eip", "a")))
    none = tmp_path / "none.yaml"
    result = gate(file, none)
    refused, how = result.stdout.splitlines()
    assert (result.exit_code, urn(DB, "it") in refused) == (1, True)
    assert f"tenantry policy approve {file} --approvals {none}" in how
    allowed = gate(file, approvals(tmp_path, expires="2999-01-01"))
    assert (allowed.exit_code, allowed.stdout) == (0, "losses of data: 1, all approved\n")
    assert "its approval has expired" in gate(file, approvals(tmp_path, expires="2020-01-01")).stdout


def test_programs_read_what_is_refused_what_is_approved_and_what_approvals_are_idle(tmp_path: Path) -> None:
    kinds = [DB, "aws:s3/bucket:Bucket", "aws:kms/key:Key"]
    steps = [step("replace", kind, name, because="x") for kind, name in zip(kinds, "abc", strict=True)]
    saved, exported = tmp_path / "plan.json", tmp_path / "state.json"
    saved.write_bytes(plan(*steps))
    held = [state(kind, name) for kind, name in zip(kinds, "abc", strict=True)]
    user = state("aws:ec2/eip:Eip", "user", urn(DB, "a"))
    exported.write_text(json.dumps({"version": 3, "deployment": {"resources": [*held, user]}}), "utf-8")
    granted = approvals(tmp_path, urn=urn(kinds[2], "c"), operation="replace", expires="2999-01-01")
    options = ["--approvals", str(granted), "--state", str(exported), "--json"]
    result = CliRunner().invoke(app, ["gate", str(saved), *options])
    answer = json.loads(result.stdout)
    assert result.stdout == json.dumps(answer, indent=2) + "\n"
    assert (result.exit_code, answer["approved"], answer["stale"]) == (1, 1, [])
    assert answer["refused"] == [
        {
            "urn": urn(DB, "a"),
            "operation": "replace",
            "causes": ["x"],
            "neededBy": [urn("aws:ec2/eip:Eip", "user")],
        },
        {"urn": urn(kinds[1], "b"), "operation": "replace", "causes": ["x"], "neededBy": []},
    ]
    saved.write_bytes(plan(step("create", "aws:ec2/eip:Eip", "e")))
    idle = CliRunner().invoke(app, ["gate", str(saved), *options])
    answer = json.loads(idle.stdout)
    assert (idle.exit_code, answer["refused"], answer["approved"], len(answer["stale"])) == (0, [], 0, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        ({"expires": "2020-01-01"}, "to delete aws:rds/instance:Instance::it has expired, on 2020-01-01"),
        ({"operation": "replace"}, "to replace aws:rds/instance:Instance::it is not needed by this plan"),
        ({"urn": urn(DB, "other")}, "aws:rds/instance:Instance::other is not needed by this plan"),
        ({"urn": urn(DB, "other").replace("dev", "prod")}, ""),  # another stack's plan may need it
    ],
)
def test_approvals_that_allow_nothing_are_told_and_refuse_nothing(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(plan(step("delete", DB, "it")))
    kept = approvals(tmp_path, **{"expires": "2999-01-01"} | changes)
    answer = gate(file, kept).stderr
    assert (message in answer, answer.count("\n")) == (True, 1 if message else 0)
    file.write_bytes(plan(step("create", DB, "new")))
    assert gate(file, kept).exit_code == 0
