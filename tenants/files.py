"""Paths of a project's files, and how they are written."""

from pathlib import Path
from typing import Final

PROJECT_FILE: Final = "Pulumi.yaml"
# Files of `tenants/` that are not registries.
NOT_REGISTRIES: Final = frozenset({"plans.yaml", "quotas.yaml", "quota-increases.yaml"})


def project_root() -> Path:
    """The project that this package is part of."""
    return Path(__file__).resolve().parent.parent


def registry_file(root: Path, stack: str) -> Path:
    return root / "tenants" / f"{stack}.yaml"


def plans_file(root: Path) -> Path:
    return root / "tenants" / "plans.yaml"


def quotas_file(root: Path) -> Path:
    return root / "tenants" / "quotas.yaml"


def quota_increases_file(root: Path) -> Path:
    return root / "tenants" / "quota-increases.yaml"


def ledger_file(root: Path, stack: str) -> Path:
    return root / "tenants" / "ledger" / f"{stack}.yaml"


def stack_file(root: Path, stack: str) -> Path:
    return root / f"Pulumi.{stack}.yaml"


def relative(root: Path, path: Path) -> str:
    """How a file is called in findings: from the project's root, with forward slashes."""
    return path.relative_to(root).as_posix()


def stacks(root: Path) -> tuple[str, ...]:
    """Every stack that has a registry, sorted."""
    found = (root / "tenants").glob("*.yaml")
    return tuple(sorted(p.stem for p in found if p.name not in NOT_REGISTRIES))
