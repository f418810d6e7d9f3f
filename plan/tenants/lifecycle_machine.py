"""Plan of the state machine that drives lifecycle work: moves, offboarding and new keys, of all tenants.

One machine for the cell. An execution calls the worker that its input names, once more for each round in
which the work goes on, and ends with the worker's answer or its refusal. The definition is data, so that the
sandbox interprets what AWS is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from plan.names import Names

WORKERS: Final = ("mover", "leaver", "rekeyer")

# Of Lambda, and never of a worker: a refusal of the worker ends the execution. Step Functions developer
# guide, "Handle Lambda service exceptions", 2026-11: what Lambda cannot name, a time-out too, is
# Lambda.Unknown; recent payloads of a time-out say Sandbox.Timedout (seek-oss/aws-codedeploy-hooks, 2024). An
# idle function in a network answers CodeArtifactUserPendingException at first, in Step Functions too
# (accelerated-intelligent-document-processing-on-aws #801, 2026-09). The API reference of Invoke, 2026-11,
# has ResourceNotReadyException for it. Lambda.AWSLambdaException is also what Step Functions says where its
# role may not call the function (awslabs/aws-deployment-framework #460, 2022-04), be it for a moment.
TRANSIENT: Final = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
)
TRIES: Final = 6  # of one round after its first
# A round is at most 11 events of the history, and 3 more for each further try (assumed:
# `idle-function-at-invoke` of sandbox/aws/assumptions.yaml); AWS ends an execution at
# 25,000 (Step Functions quotas, 2026-11).
ROUNDS: Final = 800
PAUSE: Final = 5  # seconds between two rounds
LONGEST: Final = 930  # seconds of a round: what Lambda gives, and some for Lambda itself
DAYS: Final = 14  # of an execution; 800 rounds take eight
TOO_MANY: Final = "TooManyRounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecyclePlan:
    name: str  # of the machine
    log_group: str
    workers: Mapping[str, str]  # word → name of the function that works
    starters: Mapping[str, str]  # word → name of the function that the program calls
    starter_folder: str = "lifecycle_starter"
    starter_segment: str = "functions"
    starter_group: str = "starters"  # which reaches AWS's APIs, and no database
    starter_seconds: int = 660  # which it waits, less a little: well below the 900 that Lambda gives
    starter_memory_mib: int = 256


def plan_lifecycle(names: Names) -> LifecyclePlan:
    name = names.label("state-machine", "lifecycle")
    return LifecyclePlan(
        name=name,
        # The prefix keeps the account's resource policy for log deliveries short (Step Functions developer
        # guide, "Logging to CloudWatch Logs", 2026-11).
        log_group=f"/aws/vendedlogs/states/{name}",
        workers=MappingProxyType({word: names.label("function", word, "worker") for word in WORKERS}),
        starters=MappingProxyType({word: names.label("function", word) for word in WORKERS}),
    )


def definition() -> Mapping[str, Any]:
    """In the Amazon States Language. An execution is given `function`, `event`, `resume` and `round`."""
    goes_on = [
        {"Variable": "$.done.answer.goesOn", "IsPresent": True},
        {"Variable": "$.done.answer.goesOn", "BooleanEquals": True},
    ]
    last = {"Variable": "$.round", "NumericGreaterThanEquals": ROUNDS - 1}
    return {
        "Comment": "Calls the worker of a lifecycle call until it has ended its work",
        "StartAt": "Work",
        "TimeoutSeconds": DAYS * 86_400,
        "States": {
            "Work": _work(),
            "GoesOn": {
                "Type": "Choice",
                "Choices": [
                    {"And": [*goes_on, last], "Next": TOO_MANY},
                    {"And": goes_on, "Next": "NextRound"},
                ],
                "Default": "Done",
            },
            "NextRound": {
                "Type": "Pass",
                "Parameters": {
                    "function.$": "$.function",
                    "event.$": "$.event",
                    "resume": {"resume.$": "$.done.answer.resume"},
                    "round.$": "States.MathAdd($.round, 1)",
                },
                "Next": "Pause",
            },
            "Pause": {"Type": "Wait", "Seconds": PAUSE, "Next": "Work"},
            TOO_MANY: {
                "Type": "Fail",
                "Error": TOO_MANY,
                "Cause": f"the work was not over after {ROUNDS} rounds; run again, it goes on from there",
            },
            "Done": {"Type": "Pass", "OutputPath": "$.done.answer", "End": True},
        },
    }


def _work() -> Mapping[str, Any]:
    """The worker gets what was asked and, from the second round on, where its last answer said it goes on."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {
            "FunctionName.$": "$.function",
            "Payload.$": "States.JsonMerge($.event, $.resume, false)",
        },
        "ResultSelector": {"answer.$": "$.Payload"},
        "ResultPath": "$.done",
        "TimeoutSeconds": LONGEST,
        "Retry": [
            {
                "ErrorEquals": list(TRANSIENT),
                "IntervalSeconds": 2,
                "BackoffRate": 2,
                "MaxAttempts": TRIES,
                "MaxDelaySeconds": 60,
                "JitterStrategy": "FULL",
            }
        ],
        "Next": "GoesOn",
    }
