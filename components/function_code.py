"""What is shipped to Lambda: a folder of `functions/` and the pure-Python packages that it needs."""

import importlib.metadata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pulumi

FUNCTIONS: Final = Path(__file__).parent.parent / "functions"
_SHIPPED: Final = frozenset({".py", ".pem", ".sql"})


class PackagingError(RuntimeError):
    """A package that a function needs is not installed; the text says what to run."""


@cache
def function_files(folder: str, distributions: tuple[str, ...]) -> Mapping[str, Path]:
    """Path in the archive → file here, sorted: the same sources make the same archive everywhere.

    Only sources and licences: byte code, tests and native libraries stay behind, so the archive serves
    any processor. A package with anything compiled in it is refused.
    """
    root = FUNCTIONS / folder
    own = {
        f"{folder}/{f.relative_to(root)}": f
        for f in root.rglob("*")
        if f.suffix in _SHIPPED and "__pycache__" not in f.parts
    }
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


def function_archive(folder: str, distributions: tuple[str, ...]) -> pulumi.AssetArchive:
    """The archive itself; the engine compares it by content, so paths of this machine do not matter."""
    files = function_files(folder, distributions)
    return pulumi.AssetArchive({path: pulumi.FileAsset(str(file)) for path, file in files.items()})
