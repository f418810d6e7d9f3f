"""The real engine plans, does and records the same with the sandbox's provider as with the real libraries."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.devtools.small import Small
from tests.provider_oracle.build import built_oracle, running
from tests.provider_oracle.direct import normal, without_zeros
from tests.provider_oracle.shapes import SHAPES, token

UP = ("up", "--yes", "--skip-preview")
PREVIEW = ("preview", "--json")
REFRESH = ("refresh", "--yes")
DESTROY = ("destroy", "--yes")
PROGRAM = """
import json, pathlib, pulumi
given = json.loads(pathlib.Path({file!r}).read_text())
pulumi.CustomResource({token!r}, "thing", {{**given, **dict.fromkeys({computed!r})}})
"""
# Commands in their order: what is run, which of two programs, and what goes wrong.
COMMANDS = (
    (UP, 1, "create fail-late"),
    (UP, 1, None),
    (UP, 2, "update fail"),
    (PREVIEW, 2, None),
    (UP, 2, None),
    (REFRESH, 2, None),
    (UP, 1, "delete fail"),
    (UP, 1, None),
    (DESTROY, 1, None),
)


class Stack:
    """A stack of one resource, whose provider keeps its cloud in a folder."""

    def __init__(self, home: Path, kind: str, name: str) -> None:
        self.kind, self.cloud, self.given = kind, home / "objects", home / "given.json"
        home.mkdir()
        self.cloud.mkdir()
        program = PROGRAM.format(
            file=str(self.given), token=token(kind, name), computed=SHAPES[name].computed
        )
        self.small = Small(home, program)

    def run(self, address: str, args: tuple[str, ...], given: dict[str, Any], fault: str | None) -> Any:
        """What a preview plans, whether the command succeeds, and the state after it."""
        self.given.write_text(json.dumps(given), encoding="utf-8")
        self.small.env["PULUMI_DEBUG_PROVIDERS"] = f"oracle:{address.rpartition(':')[2]}"
        file = self.cloud / "fault"
        if fault:
            file.write_text(fault, encoding="utf-8")
        status, output = self.small.pulumi(*args)
        file.unlink(missing_ok=True)
        return status, _planned(output) if args == PREVIEW else self._recorded()

    def _recorded(self) -> Any:
        (file,) = (self.small.sandbox / "state").rglob("stacks/small/dev.json")
        latest = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        found = [r for r in latest.get("resources", []) if r["type"].startswith("oracle:")]
        return [
            {
                "inputs": normal(r.get("inputs", {})),
                "outputs": self._seen(r.get("outputs", {})),
                "failed": bool(r.get("initErrors")),
                "delete": r.get("delete", False),
            }
            for r in found
        ]

    def _seen(self, outputs: dict[str, Any]) -> Any:
        shown = {k: v for k, v in outputs.items() if k != "id"}
        return normal(without_zeros(shown) if self.kind == "sdk" else shown)


def _planned(output: str) -> Any:
    assert "{" in output, output
    return [
        [s["op"], sorted(s.get("diffReasons") or []), sorted(s.get("replaceReasons") or [])]
        for s in json.loads(output[output.index("{") :])["steps"]
        if "::oracle:" in s["urn"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [("sdk", "invocation"), ("framework", "required"), ("sdk", "replacing")],
)
def test_the_engine_does_the_same_with_both(tmp_path: Path, kind: str, name: str) -> None:
    ours, oracle = Stack(tmp_path / "ours", kind, name), Stack(tmp_path / "oracle", kind, name)
    programs = {1: SHAPES[name].first, 2: SHAPES[name].second}
    plugin = [sys.executable, "-m", "tests.provider_oracle.sandbox_plugin"]
    with ExitStack() as running_plugins:
        at = running_plugins.enter_context(
            running([str(built_oracle())], {"ORACLE_CLOUD": str(oracle.cloud)})
        )
        ours_at = running_plugins.enter_context(running(plugin, {"SANDBOX_DIR": str(ours.cloud)}))
        for args, which, fault in COMMANDS:
            expected = oracle.run(at, args, programs[which], fault)
            assert ours.run(ours_at, args, programs[which], fault) == expected, (args, fault)
