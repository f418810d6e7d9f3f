"""States of functions in a network: one that is idle for 14 days has no interfaces, and its next call fails.

Lambda developer guide, 2026-11: "Giving Lambda functions access to resources in an Amazon VPC" (14 days, the
state `Inactive`, a call that fails, `Pending` until there are interfaces), "Lambda function states". The code
and the words are those of public threads (aws-cdk #20123, 2022-04; Klayers #210, 2022-03;
accelerated-intelligent-document-processing-on-aws #801, 2026-09).
"""

import datetime
import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.store import Row, Store
from sandbox.data_plane.endpoint.access import Access, Asked
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.sessions import ROLE, session_of
from sandbox.data_plane.paths import DataPlaneError
from sandbox.json_values import members

SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
IDLE: Final = datetime.timedelta(days=14)
# That Invoke answers so, and that a schedule's calls count, is assumed (`idle-function-at-invoke` of
# sandbox/aws/assumptions.yaml). AWS takes some minutes at most (40 to 106 s in #801), the sandbox a moment.
PENDING: Final = datetime.timedelta(seconds=2)
USED, READY, RUNS = "used", "ready", "runs"  # moments: of a function the first two, of a schedule the last
RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
UNITS: Final = {unit: datetime.timedelta(**{f"{unit}s": 1}) for unit in ("minute", "hour", "day")}
SCHEDULER: Final = "scheduler.amazonaws.com"


class FunctionPendingError(DataPlaneError):
    """Lambda made no call, since the function has no network interfaces."""

    code: Final = "CodeArtifactUserPendingException"
    words: Final = "INFO: Lambda is initializing your function. It will be ready to invoke shortly."

    def __init__(self) -> None:
        super().__init__(f"{self.code}: {self.words}")


def note_made(store: Store, row: Row) -> None:
    """A function or a schedule was made or changed: from now on it counts."""
    store.note_moment(str(row.outputs["arn"]), RUNS if row.type == SCHEDULE else USED)


def call(store: Store, function: Row) -> None:
    """A call of a function, which Lambda takes unless this raises `FunctionPendingError`."""
    if not members(function.inputs.get("vpcConfig")).get("subnetIds"):
        return
    arn, now = str(function.outputs["arn"]), store.now()
    idle, ready = _is_idle(store, arn), store.moment(arn, READY)
    store.note_moment(arn, USED)
    if idle:
        ready = now + PENDING
        store.note_moment(arn, READY, ready)
    if ready and now < ready:
        raise FunctionPendingError


def _is_idle(store: Store, arn: str) -> bool:
    """Whether nobody has called it for so long, nor any schedule while the clock went on."""
    used, since = store.moment(arn, USED), store.now() - IDLE
    return used is not None and used <= since and all(c <= since for c in _scheduled_calls(store, arn))


def _scheduled_calls(store: Store, arn: str) -> Iterator[datetime.datetime]:
    """The last call of each schedule of the function; those that say `rate` count, from a period after they
    were made or changed.
    """
    for row in store.in_region(SCHEDULE):
        is_its = members(row.inputs["target"])["arn"] == arn and row.inputs.get("state") != "DISABLED"
        every = RATE.fullmatch(str(row.inputs["scheduleExpression"]))
        runs = store.moment(str(row.outputs["arn"]), RUNS)
        if is_its and every and runs and _may_call(store, row, arn):
            period = int(every[1]) * UNITS[every[2]]
            if calls := (store.now() - runs) // period:
                yield runs + calls * period


def _may_call(store: Store, schedule: Row, function: str) -> bool:
    """Whether the schedule's role is Scheduler's to take, and lets it call the function."""
    access = Access(store)
    roles = store.find(ROLE, str(members(schedule.inputs["target"])["roleArn"]))
    group = str(schedule.outputs["arn"]).replace(":schedule/", ":schedule-group/").rpartition("/")[0]
    known = {"aws:SourceAccount": store.account, "aws:SourceArn": group}
    if not roles or not access.assumable(roles[0], SCHEDULER, known):
        return False
    session = session_of(roles[0], store.account, str(schedule.outputs["name"]))
    try:
        access.require(session, Asked("lambda:InvokeFunction", function), "1.3")
    except AwsError:
        return False
    return True
