"""The program under mocks beside the floor of its cost: the same resources, registered bare.

The program runs once, and the type, name and inputs of each registration are kept, inputs as plain values.
Processes of their own then register all of that again, in turn with the program: `bare` by the name of the
type alone, `SDK` with the classes of the SDK, which the program uses and which take their time to import
and have outputs that somebody may ask for. Neither has parents, options, or outputs that feed inputs.
"""

import asyncio
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, Final, NamedTuple

import pulumi
from pulumi.runtime import rpc

from tests.bench.registrations import run_program, run_under_mocks
from tests.checkout import write_checkout

STACK: Final = "pulumi:pulumi:Stack"
REPEATS: Final = 5
# The collector is off before the imports, as in the program.
CALL: Final = "import gc; gc.disable(); from tests.bench import floor; floor.{call}"
RUNS: Final = {
    "registered bare": "timed(lambda: floor.register({stack!r}, {file!r}, floor.by_type))",
    "with the SDK's classes": "timed(lambda: floor.register({stack!r}, {file!r}, floor.by_class))",
    "the program": "timed(lambda: floor.run_program({stack!r}, lambda _: None))",
}


class Bare(NamedTuple):
    """A registration without what makes it part of a program."""

    type: str
    name: str
    inputs: Mapping[str, Any]  # as the engine spells them
    maker: tuple[str, str] | None  # module and class of the SDK; None for a component
    arguments: Mapping[str, Any]  # the inputs as the class spells them


class Times(NamedTuple):
    first: float  # seconds from the start of the process to the first resource that is declared
    whole: float


def main(stacks: Sequence[str]) -> None:
    print(f"\n{'a process under mocks':<34}{'median s':>10}{'min':>8}{'max':>8}{'to first':>10}{'ratio':>8}")
    for stack in stacks:
        with tempfile.TemporaryDirectory() as folder:
            tree = write_checkout(Path(folder) / "checkout")
            file = str(Path(folder) / "registrations")
            _python(f"write_bare({stack!r}, {file!r})", tree)
            times: dict[str, list[Times]] = {what: [] for what in RUNS}
            for _ in range(REPEATS + 1):  # the first is not counted: it warms the disk's cache
                for what, call in RUNS.items():
                    times[what].append(_process(call.format(stack=stack, file=file), tree))
        floor = times["registered bare"]
        for what, taken in times.items():
            _print(f"{stack}: {what}", taken[1:], floor[1:])


def _print(label: str, taken: Sequence[Times], floor: Sequence[Times]) -> None:
    whole = [t.whole for t in taken]
    median, first = statistics.median(whole), statistics.median(t.first for t in taken)
    ratio = statistics.median(t.whole / f.whole for t, f in zip(taken, floor, strict=True))
    times = f"{median:>10.2f}{min(whole):>8.2f}{max(whole):>8.2f}{first:>10.2f}"
    print(f"{label:<34}{times}{ratio:>8.2f}", flush=True)


def _process(call: str, tree: Path) -> Times:
    before = time.monotonic()
    first, last = map(float, _python(call, tree).split())
    return Times(first - before, last - before)


def _python(call: str, tree: Path) -> str:
    """Bytecode is written and read, whatever the caller's environment says: it is how programs are run."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"CI": "1"}
    command = [sys.executable, "-c", CALL.format(call=call)]
    return subprocess.run(command, cwd=tree, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def write_bare(stack: str, file: str) -> None:
    """Run the program once and keep what it registers."""
    found: list[Any] = []
    run_program(stack, lambda r: found.append(r) if hasattr(r, "custom") and r.type != STACK else None)
    if not found:
        raise SystemExit("bench: the program registered nothing: the figures would be of an empty run")
    makers = _makers(pulumi.CustomResource)
    for request in found:
        if request.custom and request.type not in makers:  # registered by type in the program too
            makers[request.type] = _class_of(request.type)
    Path(file).write_bytes(pickle.dumps([_bare(request, makers) for request in found]))


def _makers(base: type) -> dict[str, Any]:
    """The SDK's classes that the program has loaded, by the types that they register."""
    found: dict[str, Any] = {}
    for sub in base.__subclasses__():
        found |= {sub.pulumi_type: sub} if hasattr(sub, "pulumi_type") else {}
        found |= _makers(sub)
    return found


def _class_of(token: str) -> Any:
    """The SDK's class for a type, such as `aws:wafv2/webAcl:WebAcl`."""
    package, module, name = token.split(":")
    return getattr(import_module(f"pulumi_{package}.{module.partition('/')[0]}"), name)


def _bare(request: Any, makers: Mapping[str, Any]) -> Bare:
    if not request.custom:
        return Bare(request.type, request.name, {}, None, {})
    inputs = {k: rpc.unwrap_rpc_secret(v) for k, v in rpc.deserialize_properties(request.object).items()}
    cls = makers[request.type]
    spelt = {_camel(argument): argument for argument in signature(cls._internal_init).parameters}
    arguments = {spelt[key]: value for key, value in inputs.items()}
    return Bare(request.type, request.name, inputs, (cls.__module__, cls.__qualname__), arguments)


def _camel(name: str) -> str:
    first, *others = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in others)


def register(stack: str, file: str, make: Callable[[Bare], object]) -> None:
    """Register all that was kept, under the mocks that the program ran on."""
    resources: list[Bare] = pickle.loads(Path(file).read_bytes())  # noqa: S301 - written by `write_bare`

    async def program() -> None:
        for bare in resources:
            make(bare)
        await asyncio.sleep(0)  # as the program does

    run_under_mocks(stack, program, lambda _: None)


def by_type(bare: Bare) -> object:
    if bare.maker is None:
        return pulumi.ComponentResource(bare.type, bare.name)
    return pulumi.CustomResource(bare.type, bare.name, dict(bare.inputs))


def by_class(bare: Bare) -> object:
    if bare.maker is None:
        return by_type(bare)
    module, name = bare.maker
    return getattr(import_module(module), name)(bare.name, **bare.arguments)


def timed(run: Callable[[], None]) -> None:
    """Run, and print when the first resource was declared and when everything had settled."""
    first: list[float] = []
    declare = pulumi.Resource.__init__

    def marking(self: pulumi.Resource, t: str, *args: Any, **kwargs: Any) -> None:
        if not first and t != STACK:
            first.append(time.monotonic())
        declare(self, t, *args, **kwargs)

    pulumi.Resource.__init__ = marking
    run()
    print(first[0], time.monotonic())
