"""What the program of a checkout registers with the engine, and whether another commit's registered the same.

    python -m tests.bench.registrations --against COMMIT [STACK …]

runs both programs whole (`__main__.py`, with the stacks' files and registries of their own trees) under
mocks and compares every registration word by word: type, name, parent, inputs, dependencies, aliases,
protection, provider, and the outputs of components. Status 1 where they differ.
"""

import argparse
import asyncio
import difflib
import importlib.util
import io
import json
import os
import runpy
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import pulumi
import yaml
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, run_in_stack
from pulumi.runtime.settings import reset_options, set_root_resource

ROOT: Final = Path(__file__).resolve().parents[2]
PREFIX: Final = "tenantry:"
STACKS: Final = ("dev", "prod", "org")
CODE: Final = "object.code.assets."
# With CI the ledger is locked; an attempt is otherwise a random word of each run.
SAME: Final = {"CI": "1", "TENANTRY_ATTEMPT": "the same"}
SHOWN: Final = 40  # lines of a difference
Registration = dict[str, Any]
Program = Callable[[], Awaitable[None] | None]
# Where a registration stands in a source file moves with every edit of the file.
POSITIONS: Final = ("sourcePosition", "stackTrace")


def record(tree: Path, stack: str) -> list[Registration]:
    """Every registration of the stack's program, run in a process of its own, in the order of the names."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "registrations.json"
        command = [sys.executable, "-P", __file__, stack, "--record", str(file)]
        env = os.environ | {"PYTHONPATH": str(tree)} | SAME
        subprocess.run(command, cwd=tree, env=env, check=True)
        return json.loads(file.read_text(encoding="utf-8"))


def differences(before: Sequence[Registration], after: Sequence[Registration]) -> list[str]:
    """The lines by which two recordings differ; none where they are the same.

    The files of which a function's code is made are left out: they are its source, which may change.
    """
    lines = difflib.unified_diff(_lines(before), _lines(after), "before", "after", lineterm="", n=0)
    return [line for line in lines if not line.startswith("@@")]


def _lines(recording: Sequence[Registration]) -> list[str]:
    """A line for each value, led by the name of its registration: a difference then reads by itself."""
    leaves = [(r["name"], path, value) for r in recording for path, value in _leaves("", r)]
    return [f"{name}: {path} = {value}" for name, path, value in leaves if not path.startswith(CODE)]


def _leaves(path: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [leaf for k in sorted(value) for leaf in _leaves(f"{path}.{k}" if path else k, value[k])]
    if isinstance(value, list) and value:
        return [leaf for i, item in enumerate(value) for leaf in _leaves(f"{path}[{i}]", item)]
    return [(path, json.dumps(value))]


def run_program(stack: str, on_request: Callable[[Any], None]) -> None:
    """Run `__main__.py` of the working folder as the engine would, under mocks; `on_request` is handed what
    the engine would be asked for, before the answer.
    """

    def program() -> None:
        runpy.run_path("__main__.py", run_name="__main__")

    run_under_mocks(stack, program, on_request)


def run_under_mocks(stack: str, program: Program, on_request: Callable[[Any], None]) -> None:
    """Run a program to its end, with the configuration of a stack of the working folder."""
    echo = _mocks().Echo()

    class Monitor(mocks.MockMonitor):
        def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
            on_request(request)
            return super().RegisterResource(request)

        def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
            on_request(request)
            return super().RegisterResourceOutputs(request)

    async def main() -> None:
        reset_options()
        mocks.set_mocks(echo, project="tenantry", stack=stack, monitor=Monitor(echo))
        # Not the mocks' own: `run_in_stack` makes the stack that takes the exports.
        set_root_resource(cast("Any", None))
        pulumi.runtime.set_all_config(dict(_config(Path.cwd(), stack)))
        await run_in_stack(program)

    asyncio.run(main())


def _mocks() -> Any:
    """The mocks of this checkout, whichever checkout's program runs on them."""
    spec = importlib.util.spec_from_file_location("bench_harness", ROOT / "devtools" / "mocks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


def _config(tree: Path, stack: str) -> Mapping[str, str]:
    """The stack's configuration as the engine hands it over: text, JSON where it is not a string."""
    declared = yaml.safe_load((tree / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    given = yaml.safe_load((tree / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    defaults = {PREFIX + k: v["default"] for k, v in declared.items() if "default" in v and ":" not in k}
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in (defaults | given).items()}


def plain(request: Any) -> Registration:
    """A registration as data that compares: without places in source files, and with sets in an order."""
    found = MessageToDict(request)
    for key in POSITIONS:
        found.pop(key, None)
    found.setdefault("name", found.get("urn", ""))  # of a component that tells its outputs
    # Sets, which come in no order of their own.
    found["dependencies"] = sorted(found.get("dependencies", []))
    for of_property in found.get("propertyDependencies", {}).values():
        of_property["urns"] = sorted(of_property.get("urns", []))
    return found


def _write_recording(stack: str, file: Path) -> None:
    found: list[Registration] = []
    run_program(stack, lambda request: found.append(plain(request)))
    found.sort(key=lambda r: (r["name"], r.get("type", "")))
    text = json.dumps(found)
    for folder in (sys.prefix, str(Path.cwd())):  # two checkouts, of one environment or two
        text = text.replace(folder, "")
    file.write_text(text, encoding="utf-8")


def _compare(commit: str, stacks: Sequence[str]) -> int:
    differ = False
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        for stack in stacks:
            before, after = record(Path(folder), stack), record(ROOT, stack)
            found = differences(before, after)
            differ |= bool(found)
            counts = f"{len(before)} registrations of {commit}, {len(after)} now"
            print(f"{stack}: {counts}, {len(found)} lines of difference")
            print("\n".join(found[:SHOWN]), end="\n" if found else "", flush=True)
    return int(differ)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.registrations", description=__doc__)
    parser.add_argument("stacks", nargs="*", default=STACKS)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--against", metavar="COMMIT", help="compare with the program of another commit")
    what.add_argument("--record", type=Path, metavar="FILE", help="write what one stack registers")
    given = parser.parse_args()
    if given.record:
        _write_recording(given.stacks[0], given.record)
        return 0
    return _compare(given.against, given.stacks)


if __name__ == "__main__":
    sys.exit(main())
