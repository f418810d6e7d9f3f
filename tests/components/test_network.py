"""The network as it is registered: what may talk to what, and what a change of the plan touches."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from pulumi_aws import lambda_

from components.network.network import Network, NetworkArgs
from devtools.mocks import Recording, Registered, run
from plan.network.acls import ANYWHERE
from plan.network.network import NetworkPlan, plan_cell_network, plan_dedicated_network
from plan.network.paths import CELL_GROUPS, CELL_PATHS, INTERNET, OUTSIDE, S3, PathPlan, SubnetRouting
from plan.settings import Settings
from tests.cells import settings_of
from tests.components.account import BOUNDARY, LOGS_KEY, shared_of

INGRESS, EGRESS = (
    "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)
STACKS = ("dev", "prod")


def dedicated(settings: Settings) -> NetworkPlan:
    return plan_dedicated_network("acme", "10.96.8.0/21", settings)


def record(settings: Settings, plan: NetworkPlan) -> Recording:
    args = NetworkArgs(plan=plan, paths=CELL_PATHS, shared=shared_of(settings))
    return run(lambda: Network(plan.name, args))


@cache
def cell_network(stack: str) -> Recording:
    return record(settings_of(stack), plan_cell_network(settings_of(stack)))


@cache
def dedicated_network(stack: str) -> Recording:
    return record(settings_of(stack), dedicated(settings_of(stack)))


NETWORKS: Mapping[str, Callable[[str], Recording]] = {"cell": cell_network, "dedicated": dedicated_network}
both = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
in_both_stacks = pytest.mark.parametrize("stack", STACKS)


# What may talk to what


def groups_by_id(found: Recording) -> dict[str, str]:
    return {
        f"{r.name}-id": r.name.removeprefix("cell-").removesuffix("-group")
        for r in found.of("ec2/securityGroup:SecurityGroup")
    }


def ways(found: Recording, kind: str) -> set[tuple[str, str, int]]:
    """(source, target, port) of every rule of one direction, as AWS would enforce it."""
    groups = groups_by_id(found)
    endpoint = found.one("ec2/vpcEndpoint:VpcEndpoint", "cell-endpoints-s3").name
    outside = {"cidrIpv4": {ANYWHERE: INTERNET}, "prefixListId": {f"pl-{endpoint}": S3}}
    listed: list[tuple[str, str, int]] = []
    for rule in found.of(kind):
        inputs = rule.inputs
        assert inputs["ipProtocol"] == "tcp"
        assert inputs["fromPort"] == inputs["toPort"]
        own, other = groups[inputs["securityGroupId"]], inputs.get("referencedSecurityGroupId")
        named = [names[inputs[key]] for key, names in outside.items() if key in inputs]
        ends = [groups[other]] if other else []
        assert len(named + ends) == 1, rule
        there = (named + ends)[0]
        listed.append(
            (own, there, int(inputs["fromPort"])) if kind == EGRESS else (there, own, int(inputs["fromPort"]))
        )
    assert len(set(listed)) == len(listed), "one rule for each path"
    return set(listed)


@in_both_stacks
def test_rules_of_the_groups_are_the_table_of_paths(stack: str) -> None:
    found = cell_network(stack)
    assert ways(found, EGRESS) == {(p.source, p.target, p.port) for p in CELL_PATHS}
    assert ways(found, INGRESS) == {
        (p.source, p.target, p.port) for p in CELL_PATHS if p.target not in OUTSIDE
    }


def test_groups_have_no_rules_but_those_of_the_paths() -> None:
    for network in NETWORKS.values():
        for group in network("prod").of("ec2/securityGroup:SecurityGroup"):
            assert "ingress" not in group.inputs
            assert "egress" not in group.inputs


@both
def test_the_default_group_of_the_vpc_is_emptied(network: Callable[[str], Recording]) -> None:
    (group,) = network("prod").of("DefaultSecurityGroup")
    assert {k for k in group.inputs if k in ("ingress", "egress")} == set()


def test_only_https_leaves_for_everywhere_and_nothing_comes_from_there() -> None:
    for stack in STACKS:
        found = cell_network(stack)
        open_rules = [r for r in found.of(EGRESS) if r.inputs.get("cidrIpv4") == ANYWHERE]
        assert {int(r.inputs["toPort"]) for r in open_rules} == {443}
        assert [r.name for r in found.of(INGRESS) if "cidrIpv4" in r.inputs or "cidrIpv6" in r.inputs] == []


def test_a_dedicated_network_opens_nothing_by_itself() -> None:
    found = dedicated_network("prod")
    assert [r.name for r in found.of("ec2/securityGroup:SecurityGroup")] == ["tenant-acme-silo-db-group"]
    assert found.of(EGRESS) + found.of(INGRESS) == []


def test_a_path_to_a_group_of_another_network_is_passed_over() -> None:
    settings = settings_of("dev")
    stray = PathPlan("monolith", "elsewhere-db", 5432, "a database of another network")
    args = NetworkArgs(plan=plan_cell_network(settings), paths=[stray], shared=shared_of(settings))
    found = run(lambda: Network("cell", args))
    assert found.of(EGRESS) + found.of(INGRESS) == []


@both
def test_each_segment_has_an_acl_with_the_planned_rules(network: Callable[[str], Recording]) -> None:
    settings = settings_of("prod")
    plan = plan_cell_network(settings) if network is cell_network else dedicated(settings)
    found = network("prod")
    for segment in plan.segments:
        acl = found.one("ec2/networkAcl:NetworkAcl", f"{plan.name}-{segment.name}-acl")
        assert sorted(acl.inputs["subnetIds"]) == sorted(
            f"{plan.name}-{segment.name}-{z}-id" for z in plan.zones
        )
        for direction, egress in (("egress", True), ("ingress", False)):
            entries = {
                (
                    int(e["ruleNo"]),
                    e["cidrBlock"],
                    int(e["fromPort"]),
                    int(e["toPort"]),
                    e["protocol"],
                    e["action"],
                )
                for e in acl.inputs[direction]
            }
            assert entries == {
                (r.number, r.cidr, r.from_port, r.to_port, "tcp", "allow")
                for r in segment.acl
                if r.egress is egress
            }


# Routes


def default_routes(found: Recording) -> dict[str, Registered]:
    """Default route by name of its table."""
    return {
        r.inputs["routeTableId"].removesuffix("-id"): r
        for r in found.of("ec2/route:Route")
        if r.inputs["destinationCidrBlock"] == ANYWHERE
    }


@in_both_stacks
@both
def test_every_subnet_leads_as_far_as_its_segment_reaches(
    network: Callable[[str], Recording], stack: str
) -> None:
    settings, found = settings_of(stack), network(stack)
    plan = plan_cell_network(settings) if network is cell_network else dedicated(settings)
    table_of = {
        r.inputs["subnetId"].removesuffix("-id"): r.inputs["routeTableId"].removesuffix("-id")
        for r in found.of("ec2/routeTableAssociation:RouteTableAssociation")
    }
    routes = default_routes(found)
    for segment in plan.segments:
        for zone in plan.zones:
            route = routes.get(table_of.pop(f"{plan.name}-{segment.name}-{zone}"))
            if segment.reach is SubnetRouting.ISOLATED:
                assert route is None
            elif segment.reach is SubnetRouting.PUBLIC:
                assert route is not None
                assert route.inputs["gatewayId"] == f"{plan.name}-routes-internet-id"
            else:
                assert route is not None
                there = zone if settings.nat_per_zone else plan.zones[0]
                assert route.inputs["natGatewayId"] == f"{plan.name}-routes-nat-{there}-id"
    assert table_of == {}


@in_both_stacks
@both
def test_nat_gateways_stand_in_public_subnets_of_the_planned_zones(
    network: Callable[[str], Recording], stack: str
) -> None:
    settings, found = settings_of(stack), network(stack)
    plan = plan_cell_network(settings) if network is cell_network else dedicated(settings)
    expected = {f"{plan.name}-public-{zone}-id" for zone in plan.nat_zones}
    gateways = found.of("ec2/natGateway:NatGateway")
    assert {g.inputs["subnetId"] for g in gateways} == expected
    assert len(found.of("ec2/eip:Eip")) == len(gateways) == len(plan.nat_zones)
    assert all(any("public-default" in d for d in g.dependencies) for g in gateways), "NAT before its way out"


@both
def test_no_subnet_gives_public_addresses(network: Callable[[str], Recording]) -> None:
    subnets = network("prod").of("ec2/subnet:Subnet")
    assert subnets
    assert [s.name for s in subnets if s.inputs["mapPublicIpOnLaunch"] is not False] == []


# Endpoints and flow logs


@in_both_stacks
def test_gateway_endpoints_serve_the_segments_that_reach_s3(stack: str) -> None:
    found = cell_network(stack)
    zones = settings_of(stack).zones
    tables = {f"cell-routes-{s}-{z}-id" for s in ("monolith", "reports") for z in zones}
    tables.add("cell-routes-functions-id")  # which have no way out but this one
    for service in ("s3", "dynamodb"):
        endpoint = found.one("ec2/vpcEndpoint:VpcEndpoint", f"cell-endpoints-{service}")
        assert set(endpoint.inputs["routeTableIds"]) == tables
        assert endpoint.inputs["vpcEndpointType"] == "Gateway"
        assert "securityGroupIds" not in endpoint.inputs


@in_both_stacks
def test_interface_endpoints_stand_in_their_own_segment_and_group(stack: str) -> None:
    found = cell_network(stack)
    interfaces = [e for e in found.of("VpcEndpoint") if e.inputs["vpcEndpointType"] == "Interface"]
    assert len(interfaces) == 11
    for endpoint in interfaces:
        assert endpoint.inputs["securityGroupIds"] == ["cell-endpoints-group-id"]
        assert set(endpoint.inputs["subnetIds"]) == {
            f"cell-endpoints-{z}-id" for z in settings_of(stack).zones
        }
        assert endpoint.inputs["privateDnsEnabled"] is True


def test_a_dedicated_network_pays_for_no_interface_endpoint() -> None:
    assert {e.inputs["vpcEndpointType"] for e in dedicated_network("prod").of("VpcEndpoint")} == {"Gateway"}


@both
def test_endpoints_let_this_account_pass_and_spell_what_for(network: Callable[[str], Recording]) -> None:
    account = settings_of("prod").account_id
    for endpoint in network("prod").of("VpcEndpoint"):
        for statement in json.loads(endpoint.inputs["policy"])["Statement"]:
            assert statement["Effect"] == "Allow"
            assert [a for a in statement["Action"] if "*" in a] == []
            layers = statement["Resource"] == ["arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"]
            mine = {"StringEquals": {"aws:PrincipalAccount": account}}
            assert statement["Condition"] == ({"Bool": {"aws:SecureTransport": "true"}} if layers else mine)
            assert not layers or statement["Action"] == ["s3:GetObject"]


@both
def test_flow_logs_keep_everything_encrypted_for_as_long_as_audits_ask(
    network: Callable[[str], Recording],
) -> None:
    found = network("prod")
    (log,) = found.of("ec2/flowLog:FlowLog")
    (group,) = found.of("LogGroup")
    (role,) = found.of("iam/role:Role")
    assert log.inputs["trafficType"] == "ALL"
    assert log.inputs["vpcId"] == found.of("ec2/vpc:Vpc")[0].name + "-id"
    assert group.inputs["kmsKeyId"] == LOGS_KEY
    assert group.inputs["retentionInDays"] == settings_of("prod").audit_log_days
    assert role.inputs["permissionsBoundary"] == BOUNDARY
    condition = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Condition"]
    assert condition["StringEquals"] == {"aws:SourceAccount": settings_of("prod").account_id}
    assert condition["ArnLike"]["aws:SourceArn"][0].endswith(":vpc-flow-log/*")


# Identity and order


@both
def test_no_two_resources_share_a_name(network: Callable[[str], Recording]) -> None:
    keys = [r.key for r in network("prod").resources]
    assert len(set(keys)) == len(keys)


def test_what_is_a_tenant_s_says_so() -> None:
    tagged = [r for r in dedicated_network("prod").resources if "tags" in r.inputs]
    assert len(tagged) > 20
    assert {r.inputs["tags"].get("tenant") for r in tagged} == {"acme"}
    assert all("tenant" not in r.inputs.get("tags", {}) for r in cell_network("prod").resources)


def by_key(found: Recording) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {r.key: r.inputs for r in found.resources}


@pytest.mark.parametrize("make", [plan_cell_network, dedicated], ids=["cell", "dedicated"])
def test_a_further_zone_adds_and_moves_nothing(make: Callable[[Settings], NetworkPlan]) -> None:
    """Zones a and c, then b between them: what was there keeps its name and its addresses."""
    two = replace(settings_of("prod"), zones=("eu-west-1a", "eu-west-1c"))
    three = replace(two, zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"))
    before, after = (by_key(record(s, make(s))) for s in (two, three))
    assert set(before) < set(after)
    changed = {key for key in before if before[key] != after[key]}
    # Lists of subnets and tables gain a member, which AWS does in place.
    assert {kind.rsplit(":", 1)[1] for kind, _ in changed} <= {"NetworkAcl", "VpcEndpoint"}
    for key in changed:
        differing = {k for k in after[key] if before[key].get(k) != after[key][k]}
        assert differing <= {"subnetIds", "routeTableIds"}


def test_a_nat_gateway_for_each_zone_changes_routes_only() -> None:
    one = replace(settings_of("prod"), nat_per_zone=False)
    before, after = (by_key(record(s, plan_cell_network(s))) for s in (one, settings_of("prod")))
    assert {kind.rsplit(":", 1)[1] for kind, _ in set(after) - set(before)} == {"NatGateway", "Eip"}
    assert set(before) <= set(after)
    changed = {kind.rsplit(":", 1)[1] for kind, name in before if before[kind, name] != after[kind, name]}
    assert changed == {"Route"}


def test_ids_wait_for_what_stands_behind_them() -> None:
    """Whoever takes a subnet waits for its routes; whoever takes a group, for its rules and endpoints."""
    settings = settings_of("dev")

    def program() -> None:
        args = NetworkArgs(plan=plan_cell_network(settings), paths=CELL_PATHS, shared=shared_of(settings))
        network = Network("cell", args)
        lambda_.Function(
            "probe",
            role="arn:role",
            vpc_config={
                "subnet_ids": network.subnet_ids["monolith"],
                "security_group_ids": [network.group_ids["monolith"]],
            },
        )

    found = run(program)
    (probe,) = found.of("lambda/function:Function")
    waited = {urn.rsplit("::", 1)[1] for urn in probe.dependencies}
    assert {"cell-routes-monolith-eu-west-1a-default", "cell-routes-monolith-eu-west-1b-default"} <= waited
    assert {f"cell-paths-{p.name}-out" for p in CELL_PATHS if p.source == "monolith"} <= waited
    assert {"cell-endpoints-kms", "cell-endpoints-secretsmanager"} <= waited


def test_every_group_of_the_plan_is_handed_out() -> None:
    settings, handed = settings_of("dev"), {}

    def program() -> None:
        args = NetworkArgs(plan=plan_cell_network(settings), paths=CELL_PATHS, shared=shared_of(settings))
        network = Network("cell", args)
        handed.update(
            groups=set(network.group_ids),
            segments=set(network.subnet_ids),
            tables=set(network.route_table_ids),
        )

    run(program)
    segments = {s.name for s in plan_cell_network(settings).segments}
    assert handed == {"groups": set(CELL_GROUPS), "segments": segments, "tables": segments}
