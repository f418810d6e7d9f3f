"""What is shipped to Lambda: folders of `functions/` and the pure-Python packages that they need."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pulumi

FUNCTIONS: Final = Path(__file__).parents[2] / "functions"
# pg8000 and all that it imports; a test starts the archive with nothing else at hand.
POSTGRES_DRIVER: Final = ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six")
_SHIPPED: Final = frozenset({".py", ".pem", ".sql"})


class PackagingError(RuntimeError):
    """A package that a function needs is not installed; the text says what to run."""


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """A folder of `functions/` with the others that it imports, and the distributions that it needs.

    A folder that imports another one is shipped as `functions.<folder>`, as it stands here.
    """

    folder: str
    distributions: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()  # other folders

    @property
    def handler(self) -> str:
        return f"{'functions.' if self.imports else ''}{self.folder}.handler.handle"


@cache
def function_files(code: FunctionCode) -> Mapping[str, Path]:
    """Path in the archive → file here, sorted: the same sources make the same archive everywhere.

    Only sources and licences: byte code, tests and native libraries stay behind, so the archive serves
    any processor. A package with anything compiled in it is refused.
    """
    base = FUNCTIONS.parent if code.imports else FUNCTIONS
    own = {
        str(f.relative_to(base)): f
        for folder in (code.folder, *code.imports)
        for f in (FUNCTIONS / folder).rglob("*")
        if f.suffix in _SHIPPED and "__pycache__" not in f.parts
    }
    if code.imports:
        own["functions/__init__.py"] = FUNCTIONS / "__init__.py"
    distributions = code.distributions
    found = own | {path: file for d in distributions for path, file in _distribution_files(d).items()}
    return dict(sorted(found.items()))


def _distribution_files(distribution: str) -> Mapping[str, Path]:
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        raise PackagingError(
            f"{distribution} is not installed here, and a function ships it; install the pinned requirements"
        ) from None
    native = [str(f) for f in files if f.suffix in {".so", ".pyd"}]
    if native:
        raise PackagingError(f"{distribution} is not pure Python: {native[0]}")
    return {str(f): Path(str(f.locate())) for f in files if f.suffix == ".py" or _licence(f)}


def _licence(path: importlib.metadata.PackagePath) -> bool:
    return ".dist-info" in path.parts[0] and path.name.startswith("LICENSE")


def function_archive(code: FunctionCode) -> pulumi.AssetArchive:
    """The archive itself; the engine compares it by content, so paths of this machine do not matter."""
    return pulumi.AssetArchive({path: pulumi.FileAsset(str(f)) for path, f in function_files(code).items()})
