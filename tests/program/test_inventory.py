"""What `tenants show` says a tenant has is what the program makes."""

import pytest

from plan.tenants.inventory import of_tenant
from tests.cells import registry_of
from tests.program.cell import belonging, deployed
from tests.strategies import committed_cell

# Made by a function in the database and not by the engine, or in a tag.
ELSEWHERE = {"SQL role and schema", "network"}


@pytest.mark.parametrize("tenant", [t.id for t in registry_of("dev").tenants])
def test_every_name_that_is_shown_is_a_name_that_is_made(tenant: str) -> None:
    made = {
        str(value).removeprefix("alias/")
        for r in belonging(deployed("dev"), tenant).values()
        for value in r.inputs.values()
        if isinstance(value, str)
    }
    shown = list(of_tenant(registry_of("dev"), committed_cell("dev"), tenant))
    assert len(shown) >= 8
    assert [(k, n) for k, n in shown if k not in ELSEWHERE and n not in made] == []
