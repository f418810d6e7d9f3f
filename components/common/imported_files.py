"""Which files of this project a module needs: its imports, their imports, and their data files."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = frozenset({".pem", ".sql"})
# Where a statement holds others.
_BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")


def imported_files(entry: Path, root: Path) -> frozenset[Path]:
    """`entry` and all that it imports from beneath `root`, with each package's `__init__.py`.

    A data file goes along with the module beside it that names it.
    """
    found: set[Path] = set()
    pending = [entry]
    while pending:
        file = pending.pop()
        if file not in found:
            data, modules = _named_in(file, root)
            found |= {file, *data}
            pending += modules
    return frozenset(found)


@cache
def _named_in(file: Path, root: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The data files and the modules that a module names; most are shared by several functions."""
    source = file.read_text(encoding="utf-8")
    data = (d for d in file.parent.iterdir() if d.suffix in _DATA and f'"{d.name}"' in source)
    imported = (f for name in _imported(source, file, root) for f in _files_of(name, root))
    return tuple(data), (*imported, *_packages(file, root))


def _imported(source: str, file: Path, root: Path) -> Iterator[str]:
    """Dotted names, of modules or of what is in them."""
    package = file.parent.relative_to(root).parts
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _statements(module: ast.Module) -> Iterator[ast.AST]:
    """Each statement at any depth, without its expressions: they are most of a tree, and import nothing."""
    pending: list[ast.AST] = [module]
    while pending:
        node = pending.pop()
        yield node
        pending += (inner for block in _BLOCKS for inner in getattr(node, block, ()))


@cache
def _files_of(name: str, root: Path) -> tuple[Path, ...]:
    base = root.joinpath(*name.split("."))
    return tuple(f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file())


def _packages(file: Path, root: Path) -> Iterator[Path]:
    for folder in file.parents:
        if folder == root:
            return
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
