"""The permissions that every Lambda function inside the network has."""

from __future__ import annotations

from typing import Final

from components.common.context import CellContext
from components.common.iam_policy import Statement

LOOK: Final = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
INTERFACES: Final = (
    *("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    *("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
)


def tracing(*more: str) -> Statement:
    return Statement(
        sid="Trace",
        actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords", *more],
        resources=["*"],  # X-Ray offers no resource for these (service authorization reference, 2026-11)
    )


def function_basics(shared: CellContext, *names: str) -> list[Statement]:
    """Trace itself, and stand in the network: of the role that these functions have.

    The second is for Lambda, which prepares the network with this role; the code of the function has the
    same role and is refused it. Deleting must be allowed on any resource of the account or Lambda takes the
    function for one without a network (Lambda developer guide, "Giving functions access to resources in a
    VPC", 2026-11).
    """
    functions = [shared.arn("lambda", f"function:{name}") for name in names]
    return [
        tracing(),
        Statement(
            sid="StandInTheNetwork",
            actions=INTERFACES,
            resources=[shared.arn("ec2", "*/*")],
        ),
        Statement(sid="LookAround", actions=LOOK, resources=["*"]),  # AWS offers no resource for these
        Statement(
            sid="LeaveTheNetworkAlone",
            effect="Deny",
            actions=[*INTERFACES, *LOOK],
            resources=["*"],
            # One is no list, as in what is deployed.
            condition={"ArnEquals": {"lambda:SourceFunctionArn": functions if names[1:] else functions[0]}},
        ),
    ]
