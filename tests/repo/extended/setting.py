"""The setting is declared, read, refused when it is wrong, and reaches the resource."""

from devtools.stack_plans import declared
from plan import parse_settings, plan_cell
from tests.cells import ROOT, registry_of, settings_of, values_of, with_tenants
from tests.plan.test_settings import refused
from tests.program.cell import deploy

KEY = "flowLogSeconds"


def interval(**settings: int) -> set[int]:
    """The interval of the flow logs of a cell without tenants."""
    cell = plan_cell(
        parse_settings("dev", {**values_of("dev"), **settings}), with_tenants(registry_of("dev"), ())
    )
    logs = [r for r in deploy(cell).resources if r.type == "aws:ec2/flowLog:FlowLog"]
    return {log.inputs["maxAggregationInterval"] for log in logs}


if __name__ == "__main__":
    assert declared(ROOT)[KEY] == {
        "type": "integer",
        "default": 60,
        "description": "Seconds of traffic that a line of the flow logs sums up: 60 or 600",
    }
    assert settings_of("prod").flow_log_seconds == 60  # pyright: ignore[reportAttributeAccessIssue]
    assert f"tenantry:{KEY}: 61 is not allowed; expected one of 60, 600" in refused(**{KEY: 61})
    assert (interval(), interval(flowLogSeconds=600)) == ({60}, {600})
