"""Fault plans: read strictly, and the same each time."""

import json
from pathlib import Path

import pytest

from sandbox.faults import FaultPlanError, Injector, Step, read_plan
from sandbox.faults.injector import ACTIONS, ATTEMPTS, Injected
from sandbox.faults.plan import KINDS, VARIABLE

KEY = Step("create", "aws:kms/key:Key", "urn:pulumi:dev::p::aws:kms/key:Key::acme-key")
BAD = {
    "nothing: [": r"SANDBOX_FAULTS:\d+:\d+: this is neither YAML nor JSON",
    "faults: 3": "faults: expected a list of at least one fault, got 3",
    "{faults: []}": "expected a list of at least one fault",
    "{faults: [{do: kil}]}": r"faults\[0\]: do: expected one of fail, throttle, .*; got 'kil'",
    "{faults: [{do: fail, tpye: x}]}": r"tpye: no such field; did you mean type\?",
    "{faults: [{do: fail, signal: KILL}]}": r"faults\[0\] \(fail\): signal: no such field",
    "{faults: [{do: fail, at: 0}]}": "at: expected a whole number from 1",
    "{faults: [{do: fail, at: true}]}": "at: expected a whole number from 1",
    "{faults: [{do: fail, times: often}]}": "times: expected a whole number",
    "{faults: [{do: fail, chance: 2}]}": "chance: expected a number from 0 to 1; got 2",
    "{faults: [{do: fail, chance: 0.5, at: 2}]}": "chance stands instead of `at` and `times`",
    "{faults: [{do: kill, signal: HUP}]}": "signal: expected one of INT, TERM, KILL; got 'HUP'",
    "{faults: [{do: quota}]}": "a quota needs a type and a limit",
    "{faults: [{do: fail, urn: ''}]}": "urn: expected text; got ''",
    "{seed: x, faults: [{do: fail}]}": "seed: expected a whole number, got 'x'",
}


def injector(home: Path, *faults: dict[str, object], seed: int = 0, count: int = 0) -> Injector:
    plan = read_plan({VARIABLE: json.dumps({"seed": seed, "faults": list(faults)})})
    assert plan
    return Injector(plan, home, lambda _: count)


@pytest.mark.parametrize("text", sorted(BAD))
def test_a_wrong_plan_is_one_sentence(text: str) -> None:
    with pytest.raises(FaultPlanError, match=BAD[text]) as wrong:
        read_plan({VARIABLE: text if text.startswith("{") else text + "\n# a plan\n"})
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(FaultPlanError, match=r"nowhere\.yaml cannot be read \(No such file"):
        read_plan({VARIABLE: "nowhere.yaml"})


def test_a_plan_comes_from_a_file_or_from_the_variable_itself(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("faults: [{do: fail}]\n", encoding="utf-8")
    assert read_plan({VARIABLE: str(path)}) == read_plan({VARIABLE: '{"faults": [{"do": "fail"}]}'})
    assert read_plan({}) is None


def test_every_kind_of_fault_does_something() -> None:
    assert ACTIONS.keys() == KINDS.keys()


def outcomes(one: Injector, calls: int, step: Step = KEY) -> list[str]:
    found: list[str] = []
    for _ in range(calls):
        try:
            found.append(str(one.around(step, lambda: "done")))
        except Injected as wrong:
            found.append(str(wrong).split("api error ")[-1].split(":")[0])
    return found


def test_the_kth_call_fails_and_the_others_do_not(tmp_path: Path) -> None:
    one = injector(tmp_path, {"do": "fail", "at": 2, "times": 2, "code": "AccessDenied", "message": "no"})
    assert outcomes(one, 4) == ["done", "AccessDenied", "AccessDenied", "done"]


@pytest.mark.parametrize(
    ("where", "hit"),
    [
        ({"type": "aws:kms/*"}, True),
        ({"type": "aws:s3/*"}, False),
        ({"urn": "*::acme-*"}, True),
        ({"urn": "*::bolt-*"}, False),
        ({"call": "create"}, True),
        ({"call": "delete"}, False),
    ],
)
def test_a_fault_hits_what_it_is_about(tmp_path: Path, where: dict[str, object], hit: bool) -> None:
    assert outcomes(injector(tmp_path, {"do": "fail", **where}), 1) == (
        ["InternalFailure"] if hit else ["done"]
    )


def test_chance_hits_the_same_in_any_order_and_other_things_with_another_seed(tmp_path: Path) -> None:
    steps = [Step("create", KEY.type, f"{KEY.urn}-{i}") for i in range(60)]

    def hit(name: str, seed: int, order: list[Step]) -> set[str]:
        home = tmp_path / name
        home.mkdir()
        one = injector(home, {"do": "fail", "chance": 0.3}, seed=seed)
        return {s.urn for s in order if outcomes(one, 1, s) != ["done"]}

    first = hit("a", 7, steps)
    assert 5 < len(first) < 35
    assert hit("b", 7, steps[::-1]) == first
    assert hit("c", 8, steps) != first


def test_throttling_is_retried_as_the_sdk_does_and_then_given_up(tmp_path: Path) -> None:
    assert outcomes(injector(tmp_path, {"do": "throttle", "times": 3}), 2) == ["done", "done"]
    (tmp_path / "b").mkdir()
    one = injector(tmp_path / "b", {"do": "throttle", "times": ATTEMPTS})
    with pytest.raises(
        Injected, match=r"exceeded maximum number of attempts, 25, .*ThrottlingException: Rate"
    ):
        one.around(KEY, lambda: "done")


def test_a_lost_reply_leaves_what_was_made(tmp_path: Path) -> None:
    made: list[int] = []
    one = injector(tmp_path, {"do": "lose-reply"})
    with pytest.raises(Injected, match=r"CreateKey, .*connection reset by peer"):
        one.around(KEY, lambda: made.append(1))
    (tmp_path / "other").mkdir()
    other = injector(tmp_path / "other", {"do": "timeout", "call": "delete"})
    with pytest.raises(Injected, match=r"DeleteKey, .*context deadline exceeded"):
        other.around(Step("delete", KEY.type, KEY.urn), lambda: made.append(2))
    assert made == [1]


def test_revoked_credentials_stay_revoked_for_aws_alone(tmp_path: Path) -> None:
    one = injector(tmp_path, {"do": "revoke", "at": 2})
    assert outcomes(one, 3) == ["done", "ExpiredToken", "ExpiredToken"]
    assert outcomes(one, 1, Step("read", KEY.type, "other")) == ["ExpiredToken"]
    assert outcomes(one, 1, Step("create", "random:index/randomId:RandomId", "r")) == ["done"]


def test_a_quota_counts_what_the_cloud_has(tmp_path: Path) -> None:
    fault = {"do": "quota", "type": KEY.type, "limit": 5}
    assert outcomes(injector(tmp_path, fault, count=4), 2) == ["done", "done"]
    assert outcomes(injector(tmp_path, fault, count=5), 2) == ["LimitExceededException"] * 2


def test_the_first_reads_of_each_resource_see_nothing(tmp_path: Path) -> None:
    one = injector(tmp_path, {"do": "stale-reads", "reads": 2})
    for name in ("a", "b"):
        assert outcomes(one, 3, Step("read", KEY.type, name)) == ["None", "None", "done"]
