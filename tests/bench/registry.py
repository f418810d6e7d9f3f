"""What many registries cost: 10,000 tenants in 200 of them, against `json.loads` of the same content.

`python -m tests.bench.registry` prints the figures: medians, with ratios to what stands in the same run.
"""

import gc
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import yaml

from plan import plan_cell
from tenants.allocation import extend
from tenants.models import Ledger, Registry
from tenants.project import Project
from tenants.registry import examine_all
from tenants.registry_cache import FOLDER
from tests.cells import registry_of, settings_of
from tests.registry.many import many
from tests.strategies import DAY, committed_cell

STACKS, TENANTS = 200, 50
REPEATS = 5


def seconds(call: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Median wall seconds of a call, the garbage collector off, `before` not counted."""
    found: list[float] = []
    for _ in range(REPEATS + 1):
        before()
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
        gc.enable()
    return statistics.median(found[1:])


def check(root: Path) -> None:
    project = Project(root)
    _, findings = examine_all(project, project.stacks, locked=True)
    if findings:
        raise SystemExit(f"the figure would be of a refusal: {findings[0]}")


def registries(home: Path) -> None:
    """Load and check, cold and from the cache; and whether time grows with size."""
    print(f"{'registries: load and check':<44}{'tenants':>9}{'ms':>8}{'ratio':>8}")
    times: dict[int, tuple[float, float]] = {}
    for stacks in (STACKS // 4, STACKS):
        root = many(home / f"of-{stacks}", stacks, TENANTS)
        texts = [json.dumps(_content(path)) for path in root.glob("tenants/c*.yaml")]
        plain = seconds(lambda texts=texts: [json.loads(text) for text in texts])
        cold = seconds(
            lambda root=root: check(root), lambda root=root: shutil.rmtree(root / FOLDER, ignore_errors=True)
        )
        warm = seconds(lambda root=root: check(root))
        for label, took in (
            ("json.loads of the same", plain),
            ("without the cache", cold),
            ("from it", warm),
        ):
            _row(f"{stacks} registries, {label}", stacks * TENANTS, took, took / plain)
        times[stacks] = cold, warm
    for label, one, four in zip(
        ("without the cache", "from it"), times[STACKS // 4], times[STACKS], strict=True
    ):
        _row(f"four times as many, {label}", STACKS * TENANTS, four, four / one)


def _content(path: Path) -> object:
    return yaml.load(path.read_bytes(), yaml.CBaseLoader)  # noqa: S506 - it makes nothing but text


def cells() -> None:
    """The plan of a full cell against that of a cell of one tenant."""
    settings = settings_of("prod")
    took: dict[int, float] = {}
    for count in (1, 13, 50):
        registry = _registry(count)
        took[count] = seconds(lambda registry=registry: plan_cell(settings, registry))
        _row(f"plan of a cell of {count}", count, took[count], took[count] / took[1])


def _registry(count: int) -> Registry:
    """Tenants as prod has them, over and over."""
    patterns = registry_of("prod").tenants
    tenants = tuple(replace(patterns[n % len(patterns)], id=f"tenant-{n:03d}") for n in range(count))
    cell = committed_cell("prod")
    return replace(registry_of("prod"), tenants=tenants, ledger=extend(Ledger(), tenants, cell, DAY))


def _row(label: str, count: int, took: float, ratio: float) -> None:
    print(f"{label:<44}{count:>9}{took * 1000:>8.1f}{ratio:>8.1f}", flush=True)


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="tenantry-registries-"))
    try:
        registries(home)
        cells()
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
