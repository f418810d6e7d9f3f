"""The accounts of the organization: who they are, strictly checked; and the policies they are held to."""

from organization.opening import open_organization

__all__ = ["open_organization"]
