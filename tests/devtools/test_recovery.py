"""After a run that ended badly, with checkpoints on as against AWS: put right by what a person types."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.environment import FAST
from devtools.locks import locks
from devtools.paths import Sandbox
from recovery.engine import RecoveryError, Stack
from recovery.vanishing import LOOK, urns_dropped_by_refresh
from sandbox.aws import key_lifecycle
from sandbox.faults.plan import VARIABLE
from tests.cells import ROOT
from tests.devtools.small import QUEUES, Small
from tests.team_files import guarded
from tests.waiting import LIMIT, wait_for

COUNT = 12
UP = ("up", "--yes", "--skip-preview")


@pytest.fixture
def small(tmp_path: Path) -> Small:
    made = Small(
        tmp_path, QUEUES, f'{{"small:queues": {COUNT}, "small:accountId": "111122223333"}}', forked=True
    )
    for key in FAST:
        made.env.pop(key, None)
    return made


def recovery(small: Small, *args: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "recovery", *args],
        cwd=small.project,
        env=guarded(small.env | {"PYTHONPATH": str(ROOT)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stdout


# Two tenants' keys with what hangs from them; the first one's may be deleted, by its tag.
KEYS = """
import pulumi, pulumi_aws as aws
provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["111122223333"])
opts = pulumi.ResourceOptions(provider=provider)
for id_, leaving in (("a", {"leaving": "ending"}), ("b", {})):
    key = aws.kms.Key(f"{id_}-key", tags={"tenant": id_, **leaving}, opts=opts)
    aws.kms.Alias(f"{id_}-alias", name=f"alias/tenants/{id_}", target_key_id=key.key_id, opts=opts)
    aws.sqs.Queue(f"{id_}-queue", name=f"{id_}-queue", kms_master_key_id=key.arn, opts=opts)
"""


@pytest.fixture
def leaving(tmp_path: Path) -> Small:
    """Its tenant's key waits for its deletion."""
    made = Small(tmp_path, KEYS, '{"small:accountId": "111122223333"}', forked=True)
    assert made.pulumi(*UP)[0] == 0
    wait_for_deletion(made, "a-key")
    return made


def wait_for_deletion(small: Small, name: str) -> None:
    cloud = small.cloud()
    (row,) = [r for r in cloud.all(key_lifecycle.KEY) if r.urn.endswith(f"::{name}")]
    key_lifecycle.schedule_deletion(cloud, row, 7)
    cloud.remove(key_lifecycle.KEY, row.id)


def killed(small: Small, **fault: object) -> None:
    """An `up` whose engine is killed at a step."""
    small.env[VARIABLE] = json.dumps({"faults": [{"do": "kill", "at": COUNT // 2, **fault}]})
    assert small.pulumi(*UP)[0] != 0
    del small.env[VARIABLE]


def ids(small: Small) -> set[str]:
    return {r.id.rsplit("/", 1)[1] for r in small.cloud().all()}


def assert_whole(small: Small) -> None:
    status, output = small.pulumi(*UP)
    assert status == 0, output
    status, output = small.pulumi("preview", "--expect-no-changes")
    assert status == 0, output
    assert len(small.cloud().all()) == COUNT


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_a_killed_run_is_recovered_and_nothing_is_made_twice(small: Small, when: str) -> None:
    killed(small, when=when)
    made = ids(small)
    assert 0 < len(made) < COUNT or when == "before"
    status, output = recovery(small, "recover", "dev")
    assert status == 0, output
    assert "released the lock of process" in output
    assert "copied the state to" in output
    assert "state and cloud agree" in output
    for name in ids(small):
        assert f"cleared: creating {name};" not in output
    assert made == ids(small), "a recovery makes and deletes nothing"
    known = {r["id"].rsplit("/", 1)[1] for r in state(small) if r["type"] == "aws:sqs/queue:Queue"}
    assert known == made
    assert_whole(small)


def state(small: Small) -> list[dict[str, str]]:
    return json.loads(small.pulumi("stack", "export")[1])["deployment"]["resources"]


@pytest.mark.slow
def test_a_state_that_the_kill_left_unreadable_is_mended(small: Small) -> None:
    killed(small)
    path = next(Sandbox(small.sandbox).state.glob(".pulumi/stacks/small/dev.json"))
    path.with_name("dev.json.attrs").write_text("", encoding="utf-8")
    status, output = recovery(small, "recover", "dev")
    assert status == 0, output
    assert "removed dev.json.attrs" in output
    assert_whole(small)


@pytest.mark.slow
def test_every_change_leaves_a_copy_that_comes_back(small: Small) -> None:
    assert_whole(small)
    small.configure('{"small:queues": 3}')
    assert small.pulumi(*UP)[0] == 0
    status, listed = recovery(small, "restore", "dev")
    assert status == 0
    newest = listed.splitlines()[-1].split()[0]
    assert f"{COUNT + 2} resources" in listed.splitlines()[-1]
    status, output = recovery(small, "restore", "dev", "--copy", newest)
    assert status == 3, output
    assert f"the state of dev is that of {newest}: {COUNT + 2} resources" in output
    assert f"state and cloud differ: {COUNT - 3} to delete" in output
    assert len(state(small)) == COUNT + 2
    assert recovery(small, "restore", "dev", "--copy", "nope")[0] == 1


def test_a_wrong_passphrase_changes_nothing(small: Small) -> None:
    assert small.pulumi(*UP)[0] == 0
    before = state(small)
    wrong = small.sandbox / "wrong"
    wrong.write_text("not it", encoding="utf-8")
    small.env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(wrong)
    small.configure('{"small:queues": 3}')
    status, output = small.pulumi(*UP)
    assert status != 0
    assert "incorrect passphrase" in output
    status, output = recovery(small, "recover", "dev")
    assert status == 1
    assert f"found another in {wrong} (PULUMI_CONFIG_PASSPHRASE_FILE); nothing was changed" in output
    small.env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(Sandbox(small.sandbox).passphrase)
    assert len(small.cloud().all()) == COUNT
    assert state(small) == before


@pytest.mark.parametrize("found", ["account", "credentials"])
def test_another_account_is_refused_before_anything_changes(small: Small, found: str) -> None:
    assert small.pulumi(*UP)[0] == 0
    if found == "account":
        small.configure(f'{{"small:queues": {COUNT}, "small:accountId": "999999999999"}}')
    else:
        small.env["SANDBOX_ACCOUNT_ID"] = "999999999999"
    status, output = small.pulumi(*UP)
    assert status == 1
    assert output.count("\n") == 1
    assert "111122223333" in output
    assert "999999999999" in output
    assert "nothing was changed" in output


def test_a_lost_state_is_no_reason_to_make_everything_again(small: Small) -> None:
    assert small.pulumi(*UP)[0] == 0
    for path in Sandbox(small.sandbox).state.glob(".pulumi/stacks/small/dev.json*"):
        path.unlink()
    status, output = small.pulumi(*UP)
    assert status == 1
    assert f"its state is empty, and the cloud holds {COUNT} resources of it (q0, q1, q10, …)" in output
    assert "make restore STACK=dev" in output
    assert len(small.cloud().all()) == COUNT
    copy = recovery(small, "restore", "dev")[1]
    assert copy == "" or "there is no copy" in copy  # the one run began with nothing to copy


def begun(small: Small, **env: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["pulumi", *UP, "--non-interactive", "--color=never", "--stack", "dev"],
        cwd=small.project,
        env=small.env | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def engine_of(small: Small) -> int:
    """The process that holds the stack's lock, as soon as there is one."""
    wait_for(lambda: any(alive for _, _, alive in locks(small.sandbox, "dev")), "the lock of the stack")
    return next(pid for _, pid, alive in locks(small.sandbox, "dev") if alive)


@pytest.mark.slow
@pytest.mark.parametrize("fast", [False, True])
def test_of_two_starts_at_once_one_wins_and_the_other_says_why_not(
    small: Small, tmp_path: Path, fast: bool
) -> None:
    if fast:
        small.env |= FAST
    other_has_lost = tmp_path / "other-has-lost"
    slow = json.dumps({"faults": [{"do": "hang", "until": str(other_has_lost), "at": 3}]})
    runs = [begun(small, **{VARIABLE: slow}) for _ in range(2)]
    wait_for(lambda: any(run.poll() is not None for run in runs), "the end of one of the runs")
    other_has_lost.touch()
    ended = [(run.communicate(timeout=LIMIT)[0], run.returncode) for run in runs]
    assert sorted(status == 0 for _, status in ended) == [False, True], ended
    (lost,) = [output for output, status in ended if status]
    assert "the stack is currently locked by 1 lock(s)" in lost
    assert_whole(small)


@pytest.mark.slow
def test_a_look_during_a_run_says_so_and_a_recovery_keeps_away(small: Small) -> None:
    hanging = begun(small, **{VARIABLE: '{"faults": [{"do": "hang", "at": 3}]}'})
    engine = engine_of(small)
    status, output = small.pulumi("preview")
    assert f"a run of dev is on its way (process {engine} of " in output
    status, output = recovery(small, "recover", "dev")
    assert status == 1
    assert f"a run is on its way: process {engine} of " in output
    os.kill(engine, signal.SIGKILL)
    assert hanging.wait(LIMIT) != 0
    assert recovery(small, "recover", "dev")[0] == 0
    assert_whole(small)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("refresh", "--yes", "--skip-preview"), (*UP, "--refresh")])
def test_a_refresh_that_sees_nothing_does_not_empty_the_state(small: Small, command: tuple[str, ...]) -> None:
    assert_whole(small)
    before = state(small)
    small.env[VARIABLE] = '{"faults": [{"do": "stale-reads"}]}'
    status, output = small.pulumi(*command)
    assert status == 1
    assert f"a refresh would drop {COUNT} of {COUNT + 2} resources" in output
    assert "nothing was changed" in output
    status, output = recovery(small, "refresh", "dev")
    assert status == 1
    assert f"set TENANTRY_VANISHED={COUNT}" in output
    assert state(small) == before
    small.env["TENANTRY_VANISHED"] = str(COUNT)
    small.pulumi(*command)
    assert state(small) != before, "whoever gives the number means it"


@pytest.mark.parametrize("way", [pytest.param("wrapper", marks=pytest.mark.slow), "recovery"])
def test_a_refresh_leaves_keys_out_that_wait_for_their_deletion(leaving: Small, way: str) -> None:
    """The provider takes them for gone; dropped, they would be made anew while the old ones can come back."""
    before = {r["urn"] for r in state(leaving)}
    if way == "wrapper":
        status, output = leaving.pulumi("refresh", "--yes", "--skip-preview")
    else:
        status, output = recovery(leaving, "refresh", "dev")
    assert status == 0, output
    assert output.count("the keys of tenants that leave (a-key) wait for their deletion") == 1
    assert {r["urn"] for r in state(leaving)} == before
    status, output = leaving.pulumi("preview", "--expect-no-changes")
    assert status == 0, output


@pytest.mark.slow
def test_a_key_that_vanished_otherwise_is_not_left_out(leaving: Small) -> None:
    wait_for_deletion(leaving, "b-key")
    status, output = leaving.pulumi("refresh", "--yes", "--skip-preview")
    assert status == 0, output
    assert "(a-key) wait" in output
    assert {r["urn"].rsplit("::", 1)[1] for r in state(leaving) if r["type"] == key_lifecycle.KEY} == {
        "a-key"
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [(*UP, "--refresh"), ("refresh", "--yes", "-t", "urn:pulumi:dev::small::aws:kms/key:Key::a-key")],
)
def test_what_cannot_leave_it_out_is_refused(leaving: Small, command: tuple[str, ...]) -> None:
    before = state(leaving)
    status, output = leaving.pulumi(*command)
    assert status == 1
    assert output.count("\n") == 1
    assert "stack dev: the keys of tenants that leave (a-key) wait" in output
    assert "nothing was changed" in output
    assert "make refresh STACK=dev" in output
    assert state(leaving) == before


@pytest.mark.slow
def test_a_recovery_compares_without_it(leaving: Small) -> None:
    status, output = recovery(leaving, "recover", "dev")
    assert status == 0, output
    assert "(a-key) wait" in output
    assert "state and cloud agree" in output


def test_a_refresh_with_words_that_nobody_knows_is_refused(small: Small, tmp_path: Path) -> None:
    """Whoever cannot tell what would be dropped must not let it be."""
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text("#!/bin/sh\nprintf 'Resources:\\n    - 1 to delete\\n'\n", encoding="utf-8")
    engine.chmod(0o755)
    stack = Stack("dev", small.project, small.env | {"PATH": f"{engine.parent}:{small.env['PATH']}"})
    with pytest.raises(RecoveryError, match="says how many resources a refresh would drop, and names others"):
        urns_dropped_by_refresh(stack, stack.pulumi(*LOOK)[1])
