"""What AWS refuses and no schema says: one module per area, each rule with its source.

A rule on inputs alone is checked before anything is created, and so in previews. A rule that needs the cloud
is checked when AWS would check it: at creation, update or deletion.
"""

import os
from functools import cache
from typing import Final

from sandbox.aws.refusals import (
    compute,
    database,
    documents,
    edge,
    groups,
    network,
    organization,
    quotas,
    relations,
    restores,
    schedules,
    soft_deletes,
    state_machines,
    storage,
    young_accounts,
)
from sandbox.aws.refusals.rule import (
    CREATE,
    DELETE,
    INPUTS,
    CloudError,
    Refusal,
    RuleContext,
    checked,
    raise_first,
)

FAMILIES: Final = (
    compute,
    database,
    documents,
    edge,
    groups,
    network,
    organization,
    soft_deletes,
    restores,
    schedules,
    state_machines,
    storage,
)


@cache
def rules_enabled() -> bool:
    """Whether AWS's rules are asked at all; the benchmark turns them off to see what they cost."""
    return os.environ.get("SANDBOX_VALIDATION") != "off"


__all__ = (
    "CREATE",
    "DELETE",
    "INPUTS",
    "CloudError",
    "Refusal",
    "RuleContext",
    "checked",
    "quotas",
    "raise_first",
    "relations",
    "rules_enabled",
    "soft_deletes",
    "young_accounts",
)
