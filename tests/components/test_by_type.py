"""What is registered by its type alone is, word by word, what the SDK's class registers."""

import subprocess
import sys
from typing import Any, cast

import pytest
from pulumi.runtime import mocks
from pulumi_aws import wafv2

from components.edge import waf
from devtools.mocks import run
from tests.bench.registrations import plain
from tests.cells import ROOT
from tests.components.edge_parts import cell, shared

CLASSES = ("WebAcl", "WebAclLoggingConfiguration")
LOADED = r"""
import sys
from devtools.registrations import record_registrations
from devtools.stack_plans import plan_of_stack
from tests.cells import PROJECT

record_registrations(plan_of_stack(PROJECT, "dev"))
print(*sorted(name for name in sys.modules if name.startswith("pulumi_aws.wafv2.")))
"""


def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The requests that make a WAF, by the names of the resources."""
    found: dict[str, dict[str, Any]] = {}
    answer = cast("Any", mocks.MockMonitor).RegisterResource

    def keep(self: object, request: Any) -> Any:
        found[request.name] = plain(request)
        return answer(self, request)

    def program() -> None:
        args = waf.WafArgs(plan=cell().edge, guarded={"stage": "arn:stage"}, shared=shared(cell()))
        assert waf.Waf("waf", args)

    with monkeypatch.context() as patched:
        patched.setattr(mocks.MockMonitor, "RegisterResource", keep)
        run(program)
    return found


def test_a_resource_by_type_is_registered_as_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = registered(monkeypatch)
    for name in CLASSES:
        monkeypatch.setattr(waf, name, getattr(wafv2, name))
    sdks = registered(monkeypatch)
    assert {"waf-acl", "waf-logging", "waf-stage"} < set(mine)
    assert all(mine[name]["version"] for name in ("waf-acl", "waf-logging"))
    assert mine == sdks


def test_the_types_of_rules_are_not_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["pulumi_aws.wafv2.web_acl_association"]
