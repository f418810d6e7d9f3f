"""Traces are collected beside each service where the settings name a collector, and nowhere otherwise."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from config.settings_fields import SettingsError
from devtools.mocks import Recording
from plan import plan_cell
from plan.services.tracing import ENDPOINT, OTLP_PORT, XRAY_ACTIONS
from plan.settings import parse_settings
from policies.judge import judge
from tests.cells import registry_of, settings_of, values_of
from tests.policies.plans import plan_of
from tests.program.cell import deploy, deployed

IMAGE = f"222233334444.dkr.ecr.eu-west-1.amazonaws.com/mirror/adot@sha256:{'c' * 64}"


@cache
def traced() -> Recording:
    settings = replace(settings_of("dev"), collector_image=IMAGE)
    return deploy(plan_cell(settings, registry_of("dev")))


def containers(recording: Recording) -> dict[str, list[dict[str, Any]]]:
    return {
        t.name: json.loads(t.inputs["containerDefinitions"])
        for t in recording.of("taskDefinition:TaskDefinition")
    }


def policies(recording: Recording) -> dict[str, str]:
    return {p.name: str(p.inputs["policy"]) for p in recording.of("rolePolicy:RolePolicy")}


def test_without_a_collector_there_is_no_trace_of_it() -> None:
    for found in containers(deployed("dev")).values():
        assert len(found) == 1
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in {v["name"] for v in found[0]["environment"]}
    changed = {n for n, p in policies(deployed("dev")).items() if p != policies(traced())[n]}
    assert changed == {
        "monolith-service-task-policy", "monolith-service-task-execution-policy",
        "reports-service-task-policy", "reports-service-task-execution-policy",
    }  # fmt: skip


def test_each_service_sends_to_the_one_beside_it_which_cannot_take_it_down() -> None:
    tasks = containers(traced())
    assert len(tasks) == 2
    for own, beside in tasks.values():
        sent = {v["name"]: v["value"] for v in own["environment"]}
        assert sent["OTEL_EXPORTER_OTLP_ENDPOINT"] == ENDPOINT
        assert [v["name"] for v in own["environment"]] == sorted(sent)
        assert (beside["image"], beside["essential"], beside["readonlyRootFilesystem"]) == (
            IMAGE,
            False,
            True,
        )
        assert beside["user"].split(":")[0] != "0"
        config = json.loads(beside["environment"][0]["value"])
        assert config["receivers"]["otlp"]["protocols"]["http"]["endpoint"] == f"127.0.0.1:{OTLP_PORT}"
        assert config["service"]["pipelines"]["traces"]["exporters"] == ["awsxray"]
        assert config["processors"]["memory_limiter"]["limit_mib"] < beside["memory"]


def test_its_role_may_send_traces_and_nothing_more_and_its_image_can_be_pulled() -> None:
    before, after = policies(deployed("dev")), policies(traced())
    for service in ("monolith", "reports"):
        was = json.loads(before[f"{service}-service-task-policy"])["Statement"]
        now = json.loads(after[f"{service}-service-task-policy"])["Statement"]
        (added,) = [s for s in now if s not in was]
        assert sorted(added["Action"]) == sorted(XRAY_ACTIONS)
        assert "222233334444:repository/mirror/adot" in after[f"{service}-service-task-execution-policy"]
    (registry,) = [
        e.inputs["policy"]
        for e in traced().of("vpcEndpoint:VpcEndpoint")
        if e.inputs["serviceName"].endswith("ecr.dkr")
    ]
    assert "222233334444:repository/*" in registry


def test_no_rule_is_broken_by_it() -> None:
    found = judge(plan_of(traced(), "dev")).findings
    assert {str(f) for f in found if f.stops} == {
        str(f) for f in judge(plan_of(deployed("dev"), "dev")).findings if f.stops
    }


def test_the_collector_is_named_by_digest() -> None:
    with pytest.raises(SettingsError, match=r"collectorImage: .*none, or an image in ECR by digest"):
        parse_settings("dev", values_of("dev") | {"collectorImage": "public.ecr.aws/adot:latest"})
