"""The registry of the organization's accounts and units, and the policies that apply to them."""

from organization.opening import open_organization

__all__ = ["open_organization"]
