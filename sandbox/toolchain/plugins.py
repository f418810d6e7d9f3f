"""Launchers by which the engine finds this project's Python: three provider plugins, the language host.

A launcher names the interpreter and the project, and execs; nothing is copied, so an edit of a plugin
needs no new set-up.
"""

import shlex
import sys
from pathlib import Path

from sandbox.toolchain.places import ROOT, plugin_versions, tools

TEMPLATE = """#!/bin/sh
# Made by `make`; starts {what} of the sandbox.
PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} -m {module} "$@"
"""


def install(built_cli: bool) -> None:
    """Write what is missing or differs; `built_cli` says that the CLI came without a language host."""
    for plugin, version in plugin_versions().items():
        folder = tools() / "pulumi-home" / "plugins" / f"resource-{plugin}-v{version}"
        _write(folder / f"pulumi-resource-{plugin}", f"plugin {plugin}", f"sandbox.providers.{plugin}")
    if built_cli:
        _write(tools() / "cli" / "pulumi-language-python", "language host", "sandbox.toolchain.language_host")
    _write(tools() / "bin" / "pulumi", "engine", "sandbox.toolchain.wrapper")


def _write(path: Path, what: str, module: str) -> None:
    text = TEMPLATE.format(
        what=what, root=shlex.quote(str(ROOT)), python=shlex.quote(sys.executable), module=module
    )
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o755)
    new.replace(path)
