"""A tenant's keys: the one in use, and earlier ones that still decrypt what could not be re-encrypted."""

from dataclasses import dataclass

from plan.names import Names
from tenants.lifecycle.keys import KeyLeftover, leftovers_of_earlier_keys
from tenants.models import Placement, Tenant


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """One of a tenant's keys, and how it is called for ever."""

    number: int
    alias: str  # without its leading "alias/"


@dataclass(frozen=True, slots=True)
class KeysPlan:
    """All keys that a tenant has had; nothing takes one away but the tenant's end."""

    every: tuple[KeyPlan, ...]  # by number; the last is in use
    left: tuple[KeyLeftover, ...]  # what stays under earlier ones

    @property
    def current(self) -> KeyPlan:
        return self.every[-1]

    @property
    def turned(self) -> bool:
        """Whether there is an earlier one."""
        return len(self.every) > 1


def plan_keys(names: Names, tenant: Tenant, home: Placement) -> KeysPlan:
    numbers = range(1, tenant.key + 1)
    return KeysPlan(
        every=tuple(KeyPlan(n, key_alias(names, tenant.id, n)) for n in numbers),
        left=tuple(leftovers_of_earlier_keys(tenant, home)),
    )


def key_alias(names: Names, tenant_id: str, number: int) -> str:
    """`…/tenants/acme`, the next one `…/tenants/acme/2`: an id has no slash, so nobody else's."""
    return names.path("alias", "tenants", tenant_id, *([str(number)] if number > 1 else []))
