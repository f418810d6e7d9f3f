"""The plan of the organization: its accounts, their policies, the delegated administrators."""

from plan.organization.organization import OrganizationPlan, plan_organization
from plan.organization.settings import OrganizationSettings, parse_organization_settings

__all__ = ["OrganizationPlan", "OrganizationSettings", "parse_organization_settings", "plan_organization"]
