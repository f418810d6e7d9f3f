"""Carries out a fault plan inside a provider plugin, around each call of the engine."""

import hashlib
import os
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sandbox.faults.error_messages import (
    INTERNAL,
    QUOTA,
    QUOTAS,
    REVOKED,
    THROTTLED,
    api_error,
    network_error,
)
from sandbox.faults.plan import ALWAYS, Fault, Plan

FILE: Final = "faults.sqlite"
LOOK: Final = 0.1  # seconds between two looks for the file that a hang waits for
ATTEMPTS: Final = 25  # of the AWS provider (`max_retries`, its default)
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS counts (run TEXT, fault TEXT, n INTEGER, PRIMARY KEY (run, fault));
CREATE TABLE IF NOT EXISTS hits (run TEXT, fault TEXT, call TEXT, urn TEXT);
"""
COUNT: Final = (
    "INSERT INTO counts VALUES (?, ?, 1) ON CONFLICT (run, fault) DO UPDATE SET n = n + 1 RETURNING n"
)


class Injected(Exception):  # noqa: N818 - the cloud's answer, as the provider passes it on
    """The call fails by plan; the text is the answer."""


class LateFailure(Injected):
    """The call was carried out, and what the provider does after it fails: a wait, a tag, a read."""

    def __init__(self, reason: str, done: Any) -> None:
        super().__init__(reason)
        self.done = done


@dataclass(frozen=True)
class Step:
    """One call of the engine."""

    call: str  # of `plan.CALLS`
    type: str
    urn: str


class Injector:
    """The faults of one run of the engine, shared by its plugins through a file below `home`.

    `count` says how many resources of a type the cloud has.
    """

    def __init__(self, plan: Plan, home: Path, count: Callable[[str], int] = lambda _: 0) -> None:
        self.plan, self.count = plan, count
        self.engine = os.getppid()
        self.run = f"{self.engine}-{_started(self.engine)}"
        self._path = home / FILE
        self._book(SCHEMA)

    def around(self, step: Step, call: Callable[[], Any]) -> Any:
        """Make the call as the plan wants it; raises `Injected`."""
        if self._marked("revoked") and step.type.startswith("aws:"):
            raise self._refusal(self._revoking(), step, REVOKED)
        for index, fault in enumerate(self.plan.faults):
            if fault.is_about(step.call, step.type, step.urn) and self._hits(index, fault, step):
                call = partial(ACTIONS[fault.do], self, fault, step, call)
        return call()

    # -- when

    def _hits(self, index: int, fault: Fault, step: Step) -> bool:
        if fault.do == "stale-reads":  # counted for each resource
            hit = self._next(f"{index} {step.urn}") <= fault.reads
        elif fault.do == "quota":
            hit = self.count(step.type) >= fault.limit
        elif fault.chance is not None:
            hit = self._drawn(f"{index} {step.call} {step.urn}") < fault.chance
        elif fault.do == "throttle":  # its retries are calls of their own: `times` of each call
            hit = self._next(str(index)) >= fault.at
        else:
            hit = fault.at <= self._next(str(index)) < fault.at + fault.times
        if hit:
            self._book("INSERT INTO hits VALUES (?, ?, ?, ?)", self.run, fault.do, step.call, step.urn)
        return hit

    def _drawn(self, what: str) -> float:
        digest = hashlib.sha256(f"{self.plan.seed} {what}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64

    def _next(self, key: str) -> int:
        return self._book(COUNT, self.run, key)[0][0]

    def _marked(self, key: str) -> bool:
        return bool(self._book("SELECT 1 FROM counts WHERE run = ? AND fault = ?", self.run, key))

    def _book(self, statement: str, *values: str) -> list[Any]:
        with closing(sqlite3.connect(self._path, timeout=60, isolation_level=None)) as db:
            if values:
                return db.execute(statement, values).fetchall()
            db.executescript(statement)
            return []

    # -- what

    def _refusal(self, fault: Fault, step: Step, default: tuple[str, str], attempts: int = 0) -> Injected:
        code, message = fault.code or default[0], fault.message or default[1]
        seed = f"{self.plan.seed} {step.call} {step.urn}"
        return Injected(api_error(step.call, step.type, code, message, seed, attempts))

    def _revoking(self) -> Fault:
        return next(f for f in self.plan.faults if f.do == "revoke")

    def fail(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        raise self._refusal(fault, step, INTERNAL)

    def fail_late(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        done = call()
        raise LateFailure(str(self._refusal(fault, step, INTERNAL)), done)

    def throttle(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        for attempt in range(min(fault.times, ATTEMPTS)):
            time.sleep(min(0.01 * 2**attempt, 0.1))
        if fault.times >= ATTEMPTS:
            raise self._refusal(fault, step, THROTTLED, ATTEMPTS)
        return call()

    def timeout(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        raise Injected(network_error(step.call, step.type, "context deadline exceeded"))

    def lose_reply(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        call()
        raise Injected(network_error(step.call, step.type, "read: connection reset by peer"))

    def stale_reads(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        return None  # a read that finds nothing

    def hang(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        ends = time.monotonic() + fault.seconds
        while (left := ends - time.monotonic()) > 0 and not (fault.until and Path(fault.until).exists()):
            time.sleep(min(left, LOOK))
        return call()

    def kill(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        done = call() if fault.when == "after" else None
        victim = self.engine if fault.victim == "engine" else os.getpid()
        os.kill(victim, signal.Signals[f"SIG{fault.signal}"])
        if fault.signal == "KILL" and fault.victim == "engine":
            os._exit(1)  # nobody is left to hear the answer
        return done if fault.when == "after" else call()

    def disk_full(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        """No file of the victim grows any more, as on a full disk (Linux only; `engine.py` blocks the signal
        that would come with it). The engine tries each write of its state ten times before it gives up.
        """
        if fault.victim == "plugin":
            raise Injected("the sandbox's cloud: database or disk is full")
        before = resource.prlimit(self.engine, resource.RLIMIT_FSIZE)
        resource.prlimit(self.engine, resource.RLIMIT_FSIZE, (0, before[1]))
        if fault.seconds < ALWAYS:
            free = partial(resource.prlimit, self.engine, resource.RLIMIT_FSIZE, before)
            threading.Timer(fault.seconds, free).start()
        return call()

    def revoke(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        self._next("revoked")
        raise self._refusal(fault, step, REVOKED)

    def quota(self, fault: Fault, step: Step, call: Callable[[], Any]) -> Any:
        raise self._refusal(fault, step, QUOTAS.get(step.type, QUOTA))


ACTIONS: Final[dict[str, Callable[..., Any]]] = {
    "fail": Injector.fail,
    "fail-late": Injector.fail_late,
    "throttle": Injector.throttle,
    "timeout": Injector.timeout,
    "lose-reply": Injector.lose_reply,
    "stale-reads": Injector.stale_reads,
    "hang": Injector.hang,
    "kill": Injector.kill,
    "disk-full": Injector.disk_full,
    "revoke": Injector.revoke,
    "quota": Injector.quota,
}


def _started(pid: int) -> str:
    """When a process began, so that two runs are two also where a number comes again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except OSError:
        return "0"
