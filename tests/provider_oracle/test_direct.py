"""The sandbox's provider answers each request of the engine as the real libraries do."""

import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.provider_oracle.build import built_oracle
from tests.provider_oracle.direct import Engine, Plugin
from tests.provider_oracle.shapes import EVERY, SHAPES, UNKNOWN, token

CHANGES = ("create", "update", "delete")
FAULTS = [f"{o} {f}" for o in CHANGES for f in ("fail", "fail-late", "die", "die-late")]
FAULTS += ["read fail", "read die"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Plugin, Plugin]]:
    home = tmp_path_factory.mktemp("clouds")
    oracle = Plugin([str(built_oracle())], home / "oracle", "ORACLE_CLOUD")
    ours = Plugin(
        [sys.executable, "-m", "tests.provider_oracle.sandbox_plugin"], home / "ours", "SANDBOX_DIR"
    )
    yield oracle, ours
    oracle.stop()
    ours.stop()


@st.composite
def commands(draw: st.DrawFn, kind: str, name: str) -> list[Any]:
    """What a person does with a stack of one resource: a command, its program, and what goes wrong."""
    inputs = SHAPES[name].inputs(kind)
    programs = [draw(inputs) for _ in range(3)]
    made: list[Any] = []
    for _ in range(draw(st.integers(2, 6))):
        what = draw(st.sampled_from(["up", "up", "up", "preview", "refresh", "import", "destroy", "unknown"]))
        program = draw(st.sampled_from(programs))
        if what == "unknown":
            given = sorted(program)
            program = {**program, draw(st.sampled_from(given)): UNKNOWN} if given else program
        fault = None
        if what in ("up", "refresh", "destroy") and draw(st.booleans()):
            fault = draw(st.sampled_from(FAULTS))
        made.append((what, program, fault))
    return made


def play(plugin: Plugin, kind: str, name: str, sequence: list[Any]) -> list[Any]:
    """What the engine saw after each command."""
    engine, seen = Engine(plugin, token(kind, name), kind), []
    for what, program, fault in sequence:
        plugin.fault(fault)
        if what in ("up", "preview", "unknown"):
            engine.up(program, preview=what != "up")
        else:
            {"refresh": engine.refresh, "import": engine.forget_and_import, "destroy": engine.destroy}[what]()
        seen.append((what, engine.seen()))
    plugin.fault(None)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_both_providers_answer_alike(pair: tuple[Plugin, Plugin], kind: str, name: str) -> None:
    oracle, ours = pair

    @settings(
        max_examples=min(settings().max_examples, 50),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(sequence=commands(kind, name))
    def alike(sequence: list[Any]) -> None:
        assert play(ours, kind, name, sequence) == play(oracle, kind, name, sequence)

    alike()


# Sequences in which random inputs once found a difference.
FOUND = (
    ("filling", [("up", {}, "create fail-late"), ("refresh", {}, None)]),
    ("filling", [("up", {}, "create fail-late"), ("up", {"label": "a"}, None)]),
    ("filling", [("up", {"flows": ["a"]}, None), ("up", {"flows": []}, None), ("refresh", {}, None)]),
    ("document", [("up", {"policy": '{"b": 2, "a": 1}'}, "create fail-late"), ("refresh", {}, None)]),
    ("writeOnly", [("up", {"password": ""}, None), ("refresh", {}, None)]),
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sequence"), FOUND)
def test_both_providers_answer_alike_where_they_did_not(
    pair: tuple[Plugin, Plugin], name: str, sequence: list[Any]
) -> None:
    oracle, ours = pair
    assert play(ours, "sdk", name, sequence) == play(oracle, "sdk", name, sequence)


DYING = (
    "required",
    "replacing",
    "invocation",
)  # shapes enough for plugins that die, which costs a start each
AFTER = (("up", "refresh", "up"), ("up", "up", "destroy"))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_both_go_on_alike_after_each_fault(pair: tuple[Plugin, Plugin], kind: str, name: str) -> None:
    oracle, ours = pair
    one, two = SHAPES[name].first, SHAPES[name].second
    for fault in [f for f in FAULTS if name in DYING or "die" not in f]:
        operation = fault.split()[0]
        before = {
            "create": [[("up", one, fault)], [("up", one, None), ("up", two, fault)]],
            "update": [[("up", one, None), ("up", two, fault)]],
            "read": [[("up", one, None), ("refresh", one, fault)]],
            "delete": [[("up", one, None), ("destroy", one, fault)], [("up", one, None), ("up", two, fault)]],
        }[operation]
        for begin, then in product(before, AFTER):
            sequence = [*begin, ("preview", two, None), *((what, two, None) for what in then)]
            assert play(ours, kind, name, sequence) == play(oracle, kind, name, sequence), sequence
