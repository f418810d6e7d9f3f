"""Fault plans behind the real engine: what AWS would say is what a person reads."""

import pytest

from sandbox.faults.plan import VARIABLE
from tests.devtools.small import QUEUES, Small

COUNT = 6


@pytest.fixture
def small(tmp_path: object) -> Small:
    return Small(tmp_path, QUEUES, f'{{"small:queues": {COUNT}}}', forked=True)  # type: ignore[arg-type]


def test_a_wrong_plan_stops_the_run_before_it_starts(small: Small) -> None:
    small.env[VARIABLE] = "{faults: [{do: kil}]}"
    status, output = small.pulumi("up", "--yes", "--skip-preview")
    assert status == 2
    assert output.startswith("error: SANDBOX_FAULTS: faults[0]: do: expected one of fail, ")
    assert output.count("\n") == 1
    assert small.cloud().all() == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("{do: fail, urn: '*::q3', code: AccessDenied, message: not you}", "api error AccessDenied: not you"),
        *(
            pytest.param(fault, message, marks=pytest.mark.slow)
            for fault, message in (
                (
                    "{do: revoke, at: 2}",
                    "api error ExpiredToken: The security token included in the request is expired",
                ),
                ("{do: quota, type: 'aws:sqs/queue:Queue', limit: 4}", "api error LimitExceededException"),
                ("{do: timeout, at: 3}", "context deadline exceeded"),
                ("{do: disk-full, victim: plugin, at: 3}", "database or disk is full"),
            )
        ),
        ("{do: kill, signal: INT, at: 2}", "update canceled"),
    ],
)
def test_a_run_that_fails_says_what_the_cloud_said_and_the_next_goes_on(
    small: Small, fault: str, message: str
) -> None:
    small.env[VARIABLE] = f"{{faults: [{fault}]}}"
    status, output = small.pulumi("up", "--yes", "--skip-preview", "--parallel", "1")
    assert status == 1
    assert message in output
    made = {r.id for r in small.cloud().all()}
    assert len(made) < COUNT
    del small.env[VARIABLE]
    assert small.pulumi("up", "--yes", "--skip-preview")[0] == 0
    assert made < {r.id for r in small.cloud().all()}
    assert len(small.cloud().all()) == COUNT
    status, output = small.pulumi("preview", "--expect-no-changes")
    assert status == 0, output


@pytest.mark.parametrize("fault", ["{do: throttle, times: 3}", "{do: hang, seconds: 1}"])
def test_what_passes_by_itself_needs_nobody(small: Small, fault: str) -> None:
    small.env[VARIABLE] = f"{{faults: [{fault}]}}"
    status, output = small.pulumi("up", "--yes", "--skip-preview")
    assert status == 0, output
    assert len(small.cloud().all()) == COUNT
