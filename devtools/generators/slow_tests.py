"""Lists the tests that only `make test-all` runs in docs/testing.md: `make generate`.

They are found by their mark `slow`.
"""

import ast
from collections.abc import Iterator
from typing import Final

from devtools.paths import ROOT

PAGE: Final = ROOT / "docs" / "testing.md"
BEGIN: Final = "<!-- written by `make generate` -->\n"
END: Final = "<!-- end -->\n"
SOME_CASES: Final = " (some of its cases)"


def listed() -> str:
    """The list as the page has it: a file, and below it its slow tests."""
    lines: list[str] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if found := list(slow_tests(path.read_text(encoding="utf-8"))):
            lines += [f"- `{path.relative_to(ROOT)}`", *(f"  - {name}" for name in found)]
    return "\n".join(lines) + "\n"


def slow_tests(source: str) -> Iterator[str]:
    """Names of a file's slow tests, as a sentence each; of some, a part of their parameters is slow."""
    tree = ast.parse(source)
    marks = dict(_named(tree))
    whole = marks.get("pytestmark") == "slow"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            kinds = [_kind(decorator, marks) for decorator in node.decorator_list]
            if whole or "slow" in kinds:
                yield sentence(node.name)
            elif "some" in kinds:
                yield sentence(node.name) + SOME_CASES


def _named(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that a module gives to marks, each with how slow it makes what it stands before."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if kind := _kind(node.value, {}):
                yield from ((t.id, kind) for t in targets if isinstance(t, ast.Name))


def _kind(mark: ast.expr, named: dict[str, str]) -> str:
    """`slow`, `some` where only some parameters are, or nothing."""
    if isinstance(mark, ast.Name):
        return named.get(mark.id, "")
    words = {n.attr for n in ast.walk(mark) if isinstance(n, ast.Attribute)}
    if "slow" not in words:
        return ""
    return "some" if words & {"parametrize", "param"} else "slow"


def sentence(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def page(text: str) -> str:
    """The page with the list as it is now."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + listed() + END + rest.split(END, 1)[1]
