"""The entry point: one shard per call, a little longer than until the next one."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from random import SystemRandom
from typing import Any, Final

from functions.common.aws_client import aws_client
from functions.common.connection import connect
from functions.common.keep_active import answers_keep_active
from functions.common.metric_line import metric_line
from functions.session_watch.limits import Excess
from functions.session_watch.request import Request, parse
from functions.session_watch.watch import Connection, Share, Tools, watch

log: Final = logging.getLogger(__name__)
USER: Final = "session_watch"  # as the bootstrap function makes it
NAMESPACE: Final = "Tenantry/Sessions"  # of the metrics
Say = Callable[[str], None]
EARLY_OR_LATE: Final = (0.5, 1.5)  # times the seconds between looks: no tenant is to know when to keep still


@answers_keep_active
def handle(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """What the schedule of a shard calls."""
    request = parse(event)
    return carry_out(request, lambda: _log_in(request), print)


def _log_in(request: Request) -> Connection:
    """With a token of IAM for a quarter of an hour: there is no password that anybody keeps."""
    where = request.where
    token = aws_client("rds").generate_db_auth_token(where.host, where.port, USER)
    return connect(where, {"username": USER, "password": token})


def carry_out(request: Request, log_in: Callable[[], Connection], say: Say) -> Mapping[str, Any]:
    """Look until the time is up; says how often."""
    ends = time.monotonic() + request.seconds
    tools = Tools(
        connect=log_in,
        left=lambda: time.monotonic() < ends,
        pause=lambda: time.sleep(SystemRandom().uniform(*EARLY_OR_LATE) * request.every),
        ended=lambda excess: say(event_of(request, excess)),
        shared=lambda share: say(share_event(request, share)),
    )
    looks = watch(request.limits, tools)
    say(_line(request, "Looks", looks, {}, by=["Cell", "Shard"]))
    return {"shard": request.where.tenant, "looks": looks}


def event_of(request: Request, excess: Excess) -> str:
    """A session was ended: for people, and a metric for alarms. What it ran is a customer's and stays out."""
    session = asdict(excess.session)
    about = {
        "event": "tenant session ended",
        "Case": excess.case,
        "tenantRole": session["role"],
        "pid": session["pid"],
        "measured": excess.measured,
        "limit": excess.limit,
    }
    return _line(request, "SessionsEnded", 1, about, by=["Cell"])


def share_event(request: Request, share: Share) -> str:
    """A tenant may have fewer sessions for a while, or all of its share again."""
    metric, word = ("SharesLowered", "lowered") if share.lowered else ("SharesRestored", "restored")
    about = {
        "event": f"tenant connections {word}",
        "tenantRole": share.role,
        "connections": share.connections,
    }
    return _line(request, metric, 1, about, by=["Cell"])


def _line(request: Request, metric: str, value: int, about: Mapping[str, Any], by: list[str]) -> str:
    return metric_line(NAMESPACE, metric, value, {"Shard": request.where.tenant, **about}, by)
