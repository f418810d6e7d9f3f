"""Launchers by which the engine starts this project's provider plugins and language host.

A launcher names the interpreter and the project, and execs; nothing is copied, so an edit of a plugin takes
effect at once. No launcher leaves the project on the path of what it starts: a program under test must not
find modules of this checkout.
"""

import shlex
import sys
from pathlib import Path

from devtools.paths import ROOT, plugin_versions, tools
from sandbox.files import write

MODULE = "import sys, runpy; sys.path.insert(0, {root!r}); runpy.run_module({module!r}, run_name='__main__')"
TEMPLATE = """#!/bin/sh
# Made by `make`; starts the sandbox's {what}.
exec {command} "$@"
"""


def install(built_cli: bool) -> None:
    """Write what is missing or differs; `built_cli` says that the CLI came without a language host."""
    for plugin, version in plugin_versions().items():
        folder = tools() / "plugins" / f"resource-{plugin}-v{version}"
        _launch(folder / f"pulumi-resource-{plugin}", f"{plugin} provider", f"sandbox.providers.{plugin}")
    if built_cli:
        host = ROOT / "devtools" / "language_host.py"
        _write(tools() / "cli" / "pulumi-language-python", "language host", ["-P", str(host)])
    _launch(tools() / "bin" / "pulumi", "engine", "devtools.pulumi_wrapper")


def _launch(path: Path, what: str, module: str) -> None:
    _write(path, what, ["-P", "-c", MODULE.format(root=str(ROOT), module=module)])


def _write(path: Path, what: str, args: list[str]) -> None:
    text = TEMPLATE.format(what=what, command=shlex.join([sys.executable, *args]))
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write(path, text, 0o755)
