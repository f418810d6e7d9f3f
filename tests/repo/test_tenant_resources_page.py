"""The page of what a tenant owns is the table of the plan."""

from devtools.generators.tenant_resources import PAGE, render
from plan.tenants.owned_resources import OWNED


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make generate"


def test_every_row_is_on_the_page_and_every_store_twice() -> None:
    lines = [line.split(" | ")[0].removeprefix("| ") for line in render().splitlines()]
    assert {row.called: lines.count(row.called) for row in OWNED} == {
        row.called: 2 if row.store else 1 for row in OWNED
    }
