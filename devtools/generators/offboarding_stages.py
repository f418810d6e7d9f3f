"""Writes functions/tenant_leaving/stages.py from the modules beside it: `make generate`.

Each stage of an offboarding is a `Stage` in some module there. They are found by reading the sources, and are
listed as imports, since an archive ships what its handler imports.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from devtools.paths import ROOT

FOLDER: Final = ROOT / "functions" / "tenant_leaving"
FILE: Final = FOLDER / "stages.py"
PAGE: Final = '''\
"""The stages of an offboarding: their words are those of tenants/phases.py, as a test holds.

Written by `make generate` from the modules of this folder that make a `Stage`.
"""

from collections.abc import Mapping
from typing import Any, Final

{imports}

STAGES: Final[Mapping[str, Stage]] = {{
    stage.request: stage
    for stage in (
{stages}
    )
}}


def parse_request(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    return parse(event, {{word: stage.fields for word, stage in STAGES.items()}})
'''


def render(folder: Path = FOLDER) -> str:
    """The whole module."""
    found = {path.stem: names for path in folder.glob("*.py") if (names := sorted(_stages(path)))}
    imported = {**found, "request": ["Request", "parse"], "stage": ["Stage"]}
    lines = [
        f"from functions.tenant_leaving.{module} import {', '.join(names)}"
        for module, names in sorted(imported.items())
    ]
    stages = sorted(name for names in found.values() for name in names)
    return PAGE.format(imports="\n".join(lines), stages="\n".join(f"        {name}," for name in stages))


def _stages(path: Path) -> Iterator[str]:
    """Names that a module gives to its stages."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            call = node.value
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Stage":
                yield node.target.id
