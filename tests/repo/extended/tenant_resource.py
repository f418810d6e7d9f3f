"""The resource is registered for each tenant, below its component, with name and tags, and is shown."""

from plan.names import Names
from plan.tenants.inventory import of_tenant
from tests.cells import ROOT, registry_of
from tests.program.cell import belonging, deployed
from tests.strategies import committed_cell

ALARM, CALLED = "aws:cloudwatch/metricAlarm:MetricAlarm", "alarm of notifications"


if __name__ == "__main__":
    recording, registry = deployed("dev"), registry_of("dev")
    names = Names("dev", committed_cell("dev").account)
    assert len(registry.tenants) > 4
    for tenant in registry.tenants:
        alarm = recording.one(ALARM, f"{tenant.id}-tenant-notifications-alarm")
        assert alarm.key in belonging(recording, tenant.id)
        assert alarm.inputs["name"] == f"tenantry-dev-ticket-tenant-{tenant.id}-notifications"
        assert alarm.inputs["tags"]["tenant"] == tenant.id
        assert alarm.inputs["dimensions"] == {"TopicName": names.label("topic", "tenant", tenant.id)}
        shown = dict(of_tenant(registry, committed_cell("dev"), tenant.id))
        assert shown[CALLED] == alarm.inputs["name"]
    assert f"| {CALLED} |" in (ROOT / "docs" / "tenant-resources.md").read_text("utf-8")
