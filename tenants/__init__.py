"""Registries and ledgers of the stacks' tenants, and what checks and edits them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.registry import RegistryError, open_registry

__all__ = ["RegistryError", "open_registry"]


def __getattr__(name: str) -> object:
    """Load what opens registries when it is asked for: the command line's help must not wait for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tenants import registry  # noqa: PLC0415

    return getattr(registry, name)
