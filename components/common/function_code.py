"""The code that is shipped to Lambda: a function's folder, what it imports, and pure-Python packages."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import pulumi

from components.common.imported_files import imported_files

FUNCTIONS: Final = Path(__file__).parents[2] / "functions"
# pg8000 and all that it imports; a test starts the archive with nothing else at hand.
POSTGRES_DRIVER: Final = ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six")
# Deployed before functions shared any code, from an archive that had their folder at its top. Their handlers
# keep those names: a small module there hands the call on.
_AT_THE_TOP: Final = frozenset({"tenant_bootstrap", "tenant_rekey", "token_authoriser", "webhook_delivery"})
_PASSES_ON: Final = '''"""Where Lambda enters; the function is in `functions/{folder}`."""

from functions.{folder}.handler import handle

__all__ = ["handle"]
'''


class PackagingError(RuntimeError):
    """A package that a function needs is not installed; the text says what to run."""


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """A folder of `functions/` with the modules that it imports, and the distributions that it needs."""

    folder: str
    distributions: tuple[str, ...] = ()

    @property
    def handler(self) -> str:
        return f"{'' if self.folder in _AT_THE_TOP else 'functions.'}{self.folder}.handler.handle"

    @property
    def entry(self) -> Path:
        return FUNCTIONS / self.folder / "handler.py"


Content: TypeAlias = Path | str
"""A file here, or a text that is made for the archive."""


@cache
def function_files(code: FunctionCode) -> Mapping[str, Content]:
    """Path in the archive → its content, sorted: the same sources make the same archive everywhere.

    Only sources and licences: byte code, tests and native libraries stay behind, so the archive serves
    any processor. A package with anything compiled in it is refused.
    """
    found = dict(_own_files(code))
    for distribution in code.distributions:
        found |= _distribution_files(distribution)
    return dict(sorted(found.items()))


def _own_files(code: FunctionCode) -> Mapping[str, Content]:
    root = FUNCTIONS.parent
    whole: dict[str, Content] = {str(f.relative_to(root)): f for f in imported_files(code.entry, root)}
    if code.folder in _AT_THE_TOP:
        whole[f"{code.folder}/handler.py"] = _PASSES_ON.format(folder=code.folder)
    return whole


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
    return pulumi.AssetArchive({path: _asset(content) for path, content in function_files(code).items()})


def _asset(content: Content) -> pulumi.Asset:
    return pulumi.StringAsset(content) if isinstance(content, str) else pulumi.FileAsset(str(content))
