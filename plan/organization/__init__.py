"""The plan of the organization: the accounts that there are, what they are held to, who looks after them."""

from plan.organization.organization import OrganizationPlan, plan_organization
from plan.organization.settings import OrganizationSettings, parse_organization_settings

__all__ = ["OrganizationPlan", "OrganizationSettings", "parse_organization_settings", "plan_organization"]
