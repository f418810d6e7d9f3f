"""What EventBridge Scheduler refuses of a schedule (API reference, CreateSchedule, 2026-11).

The words about the role are those that the provider waits for (scheduler/retry.go, 2026-11), those about the
expression are of a public thread (localstack #9284, 2023-10).
"""

import re
from collections.abc import Iterator
from typing import Final

from sandbox.aws.refusals.network import one
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.json_values import members

SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
ROLE: Final = "aws:iam/role:Role"
SERVICE: Final = "scheduler.amazonaws.com"
# Scheduler user guide, "Schedule types in EventBridge Scheduler", 2026-11.
EXPRESSION: Final = re.compile(r"rate\([1-9]\d* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\)|at\([\d:T-]+\)")
INVALID: Final = "ValidationException"


@rule(INPUTS, SCHEDULE, checks=("scheduleExpression",))
def check_schedule_expression(at: RuleContext) -> Iterator[Refusal]:
    given = at.known("scheduleExpression")
    if isinstance(given, str) and UNKNOWN not in given and not EXPRESSION.fullmatch(given):
        yield Refusal(INVALID, f"Invalid Schedule Expression {given}.", "scheduleExpression")


@rule(CREATE, SCHEDULE, checks=("target",))
def check_schedule_role(at: RuleContext) -> Iterator[Refusal]:
    role = one(at, ROLE, members(at.known("target")).get("roleArn"))
    if role and SERVICE not in str(role.outputs.get("assumeRolePolicy")):
        words = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        yield Refusal(INVALID, words, "target")
