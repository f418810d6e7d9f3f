"""Starts the execution of a call, or finds the one that runs, and follows it for a bounded time.

An execution is named by the tenant, the call, what is asked and a number, so that two runs that ask for the
same have one. One that ended without a record is followed by the next number: whatever it did, a call may be
made again, and only the worker's record says that it is done. Step Functions forgets an execution 90 days
after its end, and its number is free again; so one that runs is also looked for among all that run.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, cast

from functions.common.call_record import Parameters, done
from functions.common.events import LIFECYCLE, RESUME
from functions.common.going_on import GOES_ON, PROGRESS
from functions.lifecycle_starter.request import Call

RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"
FIRST_PAUSE: Final = 0.2  # seconds between two looks at an execution; then longer and longer
LONGEST_PAUSE: Final = 5.0
LOGGED: Final = 30.0  # seconds between two lines of the log
log: Final = logging.getLogger(__name__)


class LifecycleError(RuntimeError):
    """The call was not carried out, or goes on; one sentence for the person who runs it, and no secret."""


class AlreadyExists(Exception):  # noqa: N818 - a fact
    """Somebody else started an execution of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """As Step Functions describes it; `given` and `output` are what its JSON says."""

    arn: str
    status: str
    started: datetime
    given: Mapping[str, Any]
    output: Any = None
    error: str = ""
    cause: str = ""


class StateMachine(Protocol):
    """One state machine, as much of it as is needed."""

    def find(self, name: str) -> Execution | None:
        """None where there is no execution of this name."""
        ...

    def running(self) -> Iterable[str]:
        """The names of all executions that run; one that was started a moment ago may be missing."""
        ...

    def start(self, name: str, given: str) -> None:
        """Raises `AlreadyExists` if another input has the name, or the execution of this name has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the outside gives."""

    machine: StateMachine
    parameters: Parameters
    worker: str  # name of the function that does the work
    seconds: float  # to wait for
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


def call_worker(call: Call, tools: Tools) -> Mapping[str, Any]:
    """The worker's answer. Raises `LifecycleError` with what it refuses, or if it goes on beyond the wait."""
    number, last = _latest(call, tools)
    if call.deleted:
        return _end(call, last, tools)
    if (result := _recorded_result(call, last, tools)) is not None:
        return _taken_up(call, result, tools)
    if last is None or last.status != RUNNING:
        last = _started(call, call.execution(number + 1), last, tools)
    ended = _follow(call, last, tools)
    if ended.status != SUCCEEDED:
        raise LifecycleError(_why(call, ended))
    return _taken_up(call, ended.output, tools)


def _end(call: Call, last: Execution | None, tools: Tools) -> Mapping[str, Any]:
    """The resource ends, and so does the record; nothing of it may go on."""
    if last and last.status == RUNNING:
        raise LifecycleError(_going_on(call, last, tools))
    tools.parameters.delete(call.record.parameter)
    return {"tenant": call.tenant, "deleted": True}


def _recorded_result(call: Call, last: Execution | None, tools: Tools) -> Mapping[str, Any] | None:
    """If the worker has recorded exactly this since the run began, or the reply was lost."""
    found = _read(call, tools)
    if found.get("asked") != call.record.asked:
        return None
    # A record has no room for a long one.
    return found.get("result") or (last.output if last and last.status == SUCCEEDED else None)


def _taken_up(call: Call, result: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    """From now on it counts as this run's too, and the next one finds no difference."""
    if _read(call, tools).get("attempt") != call.record.attempt:
        tools.parameters.put(call.record.parameter, done(call.record, result))
    return result


def _read(call: Call, tools: Tools) -> Mapping[str, Any]:
    try:
        found: object = json.loads(tools.parameters.get(call.record.parameter) or "null")
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _latest(call: Call, tools: Tools, asked: str | None = None) -> tuple[int, Execution | None]:
    """The last number before one that is free, and the newest execution of exactly this, or of what else was
    asked: one that runs, wherever it stands among numbers of which the first were forgotten and given again.
    """
    number, known = 0, list[Execution]()
    while found := tools.machine.find(call.execution(number + 1, asked)):
        number, known = number + 1, [*known, found]
    last = max(known, key=lambda execution: execution.started, default=None)
    if asked is None and (last is None or last.status != RUNNING):
        last = _running(call, tools) or last
    return number, last


def _running(call: Call, tools: Tools) -> Execution | None:
    family = call.family()
    names = (name for name in tools.machine.running() if name.startswith(family))
    return next((found for name in names if (found := tools.machine.find(name))), None)


def _started(call: Call, name: str, last: Execution | None, tools: Tools) -> Execution:
    event = dict(call.event)
    if call.asked_before:
        event[LIFECYCLE] = _what_was_before(call, last, tools)
    given = {"function": tools.worker, "event": event, RESUME: {}, "round": 0}
    try:
        tools.machine.start(name, json.dumps(given))
    except AlreadyExists:
        log.info("tenant %s: %s was started by another run", call.tenant, call.name)
    return _found(name, tools)


def _what_was_before(call: Call, last: Execution | None, tools: Tools) -> Any:
    """The state has forgotten it, since it has this call's own input after a call that failed. The execution
    before this one was told; where Lambda made no call there is none, and the one that was recorded last is
    what was before.
    """
    if last:
        return last.given["event"][LIFECYCLE]
    asked = _read(call, tools).get("asked")
    before = _latest(call, tools, asked)[1] if asked and asked != call.record.asked else None
    if before is None:
        return call.event[LIFECYCLE]
    told = {name: value for name, value in before.given["event"].items() if name != LIFECYCLE}
    return {**call.event[LIFECYCLE], "prev_input": told}


def _found(name: str, tools: Tools) -> Execution:
    """What was started is seen a moment later: DescribeExecution is eventually consistent (API reference)."""
    ends = tools.now() + LONGEST_PAUSE
    while (found := tools.machine.find(name)) is None:
        if tools.now() > ends:
            raise LifecycleError(f"execution {name} was started and is not to be found; run again")
        tools.sleep(FIRST_PAUSE)
    return found


def _follow(call: Call, execution: Execution, tools: Tools) -> Execution:
    """Until it has ended; raises `LifecycleError` where it goes on beyond the wait."""
    name, pause = execution.arn.rpartition(":")[2], FIRST_PAUSE
    began = logged = tools.now()
    while execution.status == RUNNING:
        if tools.now() - began > tools.seconds:
            raise LifecycleError(_going_on(call, execution, tools))
        if tools.now() - logged > LOGGED:
            logged = tools.now()
            log.info("tenant %s: %s goes on%s", call.tenant, call.name, _progress(call, tools))
        tools.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
        execution = tools.machine.find(name) or execution
    return execution


def _going_on(call: Call, execution: Execution, tools: Tools) -> str:
    since = execution.started.strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"tenant {call.tenant}: {call.name} goes on in Step Functions since {since}{_progress(call, tools)}."
        " The next `up` takes up its result; until then `aws stepfunctions describe-execution --execution-arn"
        f" {execution.arn}` says whether it still runs"
    )


def _progress(call: Call, tools: Tools) -> str:
    found: Mapping[str, Any] = _read(call, tools).get(GOES_ON) or {}
    return f": {found[PROGRESS]}" if found.get("asked") == call.record.asked else ""


def _why(call: Call, execution: Execution) -> str:
    """The worker's own sentence, if it gave one."""
    try:
        found: object = json.loads(execution.cause)
    except ValueError:
        found = None
    said = cast("Mapping[str, Any]", found).get("errorMessage") if isinstance(found, dict) else None
    about = f"{execution.error}: {execution.cause}".strip(": ") or execution.status
    return str(said or f"tenant {call.tenant}: {call.name} ended as {about}")
