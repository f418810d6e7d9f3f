"""The whole cell opens the paths of the table and no other, whichever component might."""

import pytest

from plan.network.paths import CELL_PATHS, OUTSIDE, PEERED_PATHS
from plan.tenants.lifecycle_machine import WORKERS
from tests.cells import cell_of
from tests.program.cell import deployed

STACKS = ("dev", "prod")
in_both_stacks = pytest.mark.parametrize("stack", STACKS)
INLINE = ("ingress", "egress")


def dedicated(stack: str) -> int:
    return sum(1 for tenant in cell_of(stack).tenants if tenant.networks)


@in_both_stacks
def test_rules_are_made_from_the_table_alone(stack: str) -> None:
    found = deployed(stack)
    peered = dedicated(stack) * len(PEERED_PATHS)
    inner = [p for p in CELL_PATHS if p.target not in OUTSIDE]
    out, into = (
        found.of(f"vpc/securityGroup{way}Rule:SecurityGroup{way}Rule") for way in ("Egress", "Ingress")
    )
    assert len(out) == len(CELL_PATHS) + peered
    assert len(into) == len(inner) + peered
    assert [
        r.name for r in out + into if not r.parent.rsplit("$", 1)[-1].startswith("tenantry:network:PathRules")
    ] == []
    assert dedicated(stack) > 0, "a stack without a dedicated network shows nothing of peerings"


@in_both_stacks
def test_no_rule_stands_in_a_group_or_beside_the_table(stack: str) -> None:
    found = deployed(stack)
    assert found.of("ec2/securityGroupRule:SecurityGroupRule") == []
    groups = found.of("ec2/securityGroup:SecurityGroup") + found.of("DefaultSecurityGroup")
    assert [g.name for g in groups if any(way in g.inputs for way in INLINE)] == []
    assert [g.name for g in groups if "tenantry:network:Network" not in g.parent] == []


@in_both_stacks
def test_nothing_has_a_public_address_but_nat(stack: str) -> None:
    found = deployed(stack)
    assert [r.name for r in found.of("rds/instance:Instance") if r.inputs.get("publiclyAccessible")] == []
    assert [
        r.name for r in found.of("lb/loadBalancer:LoadBalancer") if r.inputs["internal"] is not True
    ] == []
    services = found.of("ecs/service:Service")
    assert services
    assert [s.name for s in services if s.inputs["networkConfiguration"].get("assignPublicIp")] == []
    addresses = {a.name for a in found.of("ec2/eip:Eip")}
    assert addresses == {n.name for n in found.of("ec2/natGateway:NatGateway")}


@in_both_stacks
def test_no_function_stands_outside_of_the_network(stack: str) -> None:
    functions = deployed(stack).of("lambda/function:Function")
    assert len(functions) >= 8
    assert [r.name for r in functions if "vpcConfig" not in r.inputs] == []


@in_both_stacks
def test_every_function_of_the_cell_is_called_once_a_day(stack: str) -> None:
    """An idle one loses its place in the network, and its next call fails."""
    found = deployed(stack)
    called = [s.inputs["target"]["arn"] for s in found.of("scheduler/schedule:Schedule")]
    functions = [r.name for r in found.of("lambda/function:Function")]
    # That of the watch of sessions every minute, for each shard.
    assert {arn.rpartition(":")[2] for arn in called} == set(functions)


@in_both_stacks
def test_starters_reach_the_apis_of_aws_and_nothing_else(stack: str) -> None:
    """They hold no secret and reach no database: an execution of the state machine does the work (ADR 27)."""
    found = deployed(stack)
    starters = [found.one("lambda/function:Function", f"{w}-function").inputs for w in WORKERS]
    groups = {tuple(s["vpcConfig"]["securityGroupIds"]) for s in starters}
    assert groups == {("cell-starters-group-id",)}
    assert [p.target for p in CELL_PATHS if p.source == "starters"] == ["endpoints"]
    assert {s["environment"]["variables"].keys() == {"CELL", "MACHINE", "WORKER"} for s in starters} == {True}


@in_both_stacks
def test_everything_that_takes_groups_takes_groups_of_the_table(stack: str) -> None:
    """A resource that names no group gets the VPC's default one, which is empty, and fails late."""
    found = deployed(stack)
    named = {f"{g.name}-id" for g in found.of("ec2/securityGroup:SecurityGroup")}
    takers = {
        **{r.name: r.inputs.get("vpcSecurityGroupIds") for r in found.of("rds/instance:Instance")},
        **{r.name: r.inputs.get("securityGroups") for r in found.of("lb/loadBalancer:LoadBalancer")},
        **{
            r.name: r.inputs["networkConfiguration"].get("securityGroups")
            for r in found.of("ecs/service:Service")
        },
        **{
            r.name: r.inputs["vpcConfig"].get("securityGroupIds")
            for r in found.of("lambda/function:Function")
        },
        **{r.name: r.inputs.get("securityGroupIds") for r in found.of("apigatewayv2/vpcLink:VpcLink")},
    }
    assert len(takers) > 10
    replicas = {r.name for r in found.of("rds/instance:Instance") if "replicateSourceDb" in r.inputs}
    assert {n: g for n, g in takers.items() if n not in replicas and not (g and set(g) <= named)} == {}
