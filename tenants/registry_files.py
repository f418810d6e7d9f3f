"""The files of the registry as typed entries: tenants, service plans, quotas."""

from config.typed_files import Entries, read_entries
from config.yaml_tree import Finding
from tenants.field_types import PLAN_ID, TENANT_ID
from tenants.models import Quota, QuotaIncrease, ServicePlan, Tenant


def read_tenants(data: bytes | str, file: str) -> tuple[Entries[Tenant], list[Finding]]:
    """The tenants of a registry, field by field; what fields mean together is for `tenants.entry_checks`."""
    return read_entries(data, file, Tenant, TENANT_ID, "tenant")


def read_plans(data: bytes | str, file: str) -> tuple[Entries[ServicePlan], list[Finding]]:
    """The service plans."""
    return read_entries(data, file, ServicePlan, PLAN_ID, "service plan")


def read_quotas(data: bytes | str, file: str) -> tuple[Entries[Quota], list[Finding]]:
    """The quotas of AWS that cells are measured by."""
    return read_entries(data, file, Quota, PLAN_ID, "quota")


def read_quota_increases(data: bytes | str, file: str) -> tuple[Entries[QuotaIncrease], list[Finding]]:
    """What of those quotas AWS has raised for the team's accounts."""
    return read_entries(data, file, QuotaIncrease, PLAN_ID, "raised quota")
