"""The entry point of the program: reads the configuration, and refuses mistakes in clear sentences."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.runtime import config as engine_config

from components.kinds import KEYS, KINDS, STRUCTURED, Kind
from config.stack_file import places_of
from plan import SettingsError
from tenants import RegistryError

Program = Callable[[], Mapping[str, Any]]
# With each registration goes the stack that made it, and the engine keeps it: whole, it is a tenth of the
# program's time and 37% of a state's bytes, most of it frames of the event loop, the same for each resource.
# Kept are the innermost: six of the SDK's own, and four that say where in the program the resource is made.
FRAMES: Final = 10


def read_settings() -> tuple[Kind, Any]:
    """The stack's kind, which its settings say, and every configuration key of this project, read once.

    Raises `SettingsError` naming all wrong ones.
    """
    prefix, stack = f"{pulumi.get_project()}:", pulumi.get_stack()
    given = engine_config.get_config_env() | engine_config.CONFIG.get()
    values = {k.removeprefix(prefix): v for k, v in given.items() if k.startswith(prefix)}
    kind = KINDS.get(values.get("kind", ""))
    if kind is None:
        allowed = f"expected one of {', '.join(KINDS)}"
        raise SettingsError(
            f"Pulumi.{stack}.yaml:\n  tenantry:kind: {values.get('kind')!r} is not allowed; {allowed}"
        )
    typed = {k: _typed(k, v) for k, v in values.items()}
    return kind, kind.parse(stack, typed, KEYS, lambda: places_of(Path.cwd(), stack))


def _typed(key: str, value: object) -> object:
    """The engine hands every value over as text; numbers, booleans and lists are JSON in it."""
    if key not in STRUCTURED or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value  # of the wrong type, which `parse_settings` says better


def refusing(program: Program) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    """Make `program` an entry point whose refusals are sentences and not tracebacks."""

    async def main() -> Mapping[str, Any]:
        try:
            with short_stacks():
                exports = program()
        except (SettingsError, RegistryError) as refusal:
            raise pulumi.RunError(str(refusal)) from None
        # One turn of the loop starts the registrations before the engine's SDK waits for them:
        # without it the wait looks at every output again and again (measured: six times the CPU).
        await asyncio.sleep(0)
        return exports

    return main


@contextmanager
def short_stacks() -> Generator[None]:
    """Let the SDK see no more than the innermost frames of the stack; errors are shown whole, for they are
    shown outside of it.
    """
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = FRAMES
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before
