"""The life of a tenant as one state machine, and what an edit of the registry may not do to it.

The ledger remembers where each tenant was put and in which state it was last seen. Data never moves
and never goes because a line changed: isolation and network stay as they are, a state follows only
the arrows of `NEXT`, and an entry may leave the file only after its tenant was erased.
"""

from collections.abc import Mapping
from typing import Final

from tenants.models import Home, Isolation, Ledger, NetworkMode, State, Tenant

NEXT: Final[Mapping[State, tuple[State, ...]]] = {
    State.ACTIVE: (State.SUSPENDED,),
    State.SUSPENDED: (State.ACTIVE, State.ERASED),
    State.ERASED: (),
}

Problem = tuple[str, tuple[str, ...], str, str]
"""Tenant, path of the field, what is wrong, what would be right."""


def home_of(tenant: Tenant) -> Home:
    return Home(isolation=tenant.isolation, network=tenant.network, state=tenant.state)


def problems(tenants: Mapping[str, Tenant], present: frozenset[str], ledger: Ledger) -> list[Problem]:
    """What the edit from the ledger's state to these tenants may not do.

    `present` are the ids that stand in the file, the unreadable ones included: those have not left.
    """
    found: list[Problem] = []
    for id_ in sorted(ledger.homes.keys() - present):
        wrong = "has data, and its entry is gone from the registry"
        right = "put the entry back; a tenant leaves by state: suspended, then state: erased, a run for each"
        found.append((id_, (), wrong, right))
    for tenant in tenants.values():
        home = ledger.homes.get(tenant.id)
        if tenant.id in ledger.erased:
            found += _after_death(tenant)
        elif home is not None:
            found += _moves(tenant, home)
        elif not tenant.state.placed:
            found.append(
                (tenant.id, ("state",), "was never onboarded, so nothing can be erased", "remove the entry")
            )
    return found


def _after_death(tenant: Tenant) -> list[Problem]:
    if tenant.state is State.ERASED:
        return []
    return [
        (tenant.id, (), "is the id of a tenant that was erased", "take another id; erased ones stay taken")
    ]


_WHERE: Final[Mapping[Isolation | NetworkMode, str]] = {
    Isolation.POOL: "in the pool",
    Isolation.SILO: "in a silo",
    NetworkMode.SHARED: "in the cell's network",
    NetworkMode.DEDICATED: "in a network of its own",
}


def _moves(tenant: Tenant, home: Home) -> list[Problem]:
    found: list[Problem] = [
        (
            tenant.id,
            (field,),
            f"{field} is {now} here, and the tenant's data lives {_WHERE[was]}",
            f"put {field}: {was} back; data moves in stages, never by an edit",
        )
        for field, now, was in (
            ("isolation", tenant.isolation, home.isolation),
            ("network", tenant.network, home.network),
        )
        if now is not was
    ]
    if tenant.state is not home.state and tenant.state not in NEXT[home.state]:
        wrong = f"state goes from {home.state} to {tenant.state}"
        right = f"after {home.state} comes {' or '.join(NEXT[home.state])}, in a run of its own"
        found.append((tenant.id, ("state",), wrong, right))
    return found
