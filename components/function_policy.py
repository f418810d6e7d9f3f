"""What every Lambda function inside the network may do, whatever else it does."""

from typing import Final

from pulumi import Input

from components.policy import Statement

INTERFACES: Final = (
    *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
    *("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
)


def function_basics(function_arn: Input[str]) -> list[Statement]:
    """Trace itself, and stand in the network.

    The second is for Lambda, which prepares the network with this role and on every resource; the code of
    the function has the same role and is refused it (Lambda developer guide, "Giving functions access to
    resources in a VPC", 2026-11).
    """
    return [
        Statement(
            sid="Trace",
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],  # X-Ray offers no resource for these (service authorization reference, 2026-11)
        ),
        Statement(
            sid="StandInTheNetwork",
            actions=INTERFACES,
            resources=["*"],  # Lambda asks for them without a resource
        ),
        Statement(
            sid="LeaveTheNetworkAlone",
            effect="Deny",
            actions=INTERFACES,
            resources=["*"],
            condition={"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
        ),
    ]
