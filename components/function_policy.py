"""What every Lambda function inside the network may do, whatever else it does."""

from components.policy import Statement


def function_basics() -> list[Statement]:
    """Trace itself, and stand in the network."""
    return [
        Statement(
            sid="Trace",
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],  # X-Ray offers no resource for these (service authorization reference, 2026-11)
        ),
        Statement(
            sid="StandInTheNetwork",
            actions=[
                "ec2:CreateNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:DeleteNetworkInterface",
                "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses",
            ],
            resources=["*"],  # Lambda checks for them on every resource (Lambda developer guide, 2026-11)
        ),
    ]
