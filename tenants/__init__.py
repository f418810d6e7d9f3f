"""The tenants of each stack: registries, ledgers, and everything that checks and edits them."""

from tenants.opening import RegistryError, open_registry

__all__ = ["RegistryError", "open_registry"]
