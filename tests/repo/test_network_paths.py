"""The page of allowed paths is the table of the plan."""

from devtools.generators.network_paths import PAGE, render
from plan.network.paths import CELL_PATHS, CELL_SEGMENTS


def test_the_page_is_what_the_plan_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make generate"


def test_every_path_and_segment_is_on_the_page() -> None:
    page = render()
    missing = [p.name for p in CELL_PATHS if f"| {p.port} | {p.why} |" not in page]
    missing += [s for s in CELL_SEGMENTS if f"| {s} |" not in page]
    assert missing == []
