"""The one way into a dedicated tenant's network."""

import ipaddress
from functools import cache

import pytest

from components.network.network import Network, NetworkArgs
from components.network.peering import Peering, PeeringArgs
from devtools.mocks import Recording, Registered, run
from plan.network.network import plan_cell_network, plan_dedicated_network
from plan.network.paths import CELL_PATHS, SubnetRouting
from tests.cells import settings_of
from tests.components.account import shared_of

PEERING = "tenantry:network:Peering"
in_both_stacks = pytest.mark.parametrize("stack", ["dev", "prod"])


@cache
def peered(stack: str) -> Recording:
    settings = settings_of(stack)
    shared, cell_plan = shared_of(settings), plan_cell_network(settings)
    tenant_plan = plan_dedicated_network("acme", "10.96.8.0/21", settings)

    def program() -> None:
        cell = Network("cell", NetworkArgs(plan=cell_plan, paths=CELL_PATHS, shared=shared))
        tenant = Network("tenant-acme", NetworkArgs(plan=tenant_plan, paths=CELL_PATHS, shared=shared))
        Peering(
            "peer-acme",
            PeeringArgs(
                cell=cell, cell_plan=cell_plan, tenant=tenant, tenant_plan=tenant_plan, shared=shared
            ),
        )

    return run(program)


def of_peering(stack: str, kind: str) -> list[Registered]:
    return [r for r in peered(stack).of(kind) if PEERING in r.parent]


@in_both_stacks
def test_both_ends_are_this_account_s_so_that_it_accepts_itself(stack: str) -> None:
    (connection,) = of_peering(stack, "ec2/vpcPeeringConnection:VpcPeeringConnection")
    assert connection.inputs["vpcId"] == "cell-vpc-id"
    assert connection.inputs["peerVpcId"] == "tenant-acme-vpc-id"
    assert connection.inputs["autoAccept"] is True
    assert "peerOwnerId" not in connection.inputs
    assert "peerRegion" not in connection.inputs
    assert (
        connection.inputs["requester"]
        == connection.inputs["accepter"]
        == {"allowRemoteVpcDnsResolution": True}
    )


@in_both_stacks
def test_routes_join_the_services_with_the_tenant_s_data_and_nothing_else(stack: str) -> None:
    settings = settings_of(stack)
    cell, tenant = plan_cell_network(settings), plan_dedicated_network("acme", "10.96.8.0/21", settings)
    found = {
        (r.inputs["routeTableId"], r.inputs["destinationCidrBlock"])
        for r in of_peering(stack, "ec2/route:Route")
    }
    data = tenant.segment("silo-data").cidr
    here = {"cell-routes-functions-id", *(f"cell-routes-monolith-{z}-id" for z in cell.zones)}
    there = {cell.segment(s).cidr for s in ("monolith", "functions")}
    assert found == {(t, data) for t in here} | {("tenant-acme-routes-silo-data-id", c) for c in there}
    assert {r.inputs["vpcPeeringConnectionId"] for r in of_peering(stack, "ec2/route:Route")} == {
        "peer-acme-connection-id"
    }


@in_both_stacks
def test_a_route_of_the_peering_never_leads_everywhere(stack: str) -> None:
    for route in of_peering(stack, "ec2/route:Route"):
        assert ipaddress.IPv4Network(route.inputs["destinationCidrBlock"]).prefixlen >= 20


@in_both_stacks
def test_both_ends_of_each_path_name_each_other_on_postgresql_s_port(stack: str) -> None:
    ends = {"cell-monolith-group-id", "cell-functions-group-id"}
    data = "tenant-acme-silo-db-group-id"
    out = of_peering(stack, "SecurityGroupEgressRule")
    into = of_peering(stack, "SecurityGroupIngressRule")
    assert {(r.inputs["securityGroupId"], r.inputs["referencedSecurityGroupId"]) for r in out} == {
        (e, data) for e in ends
    }
    assert {(r.inputs["securityGroupId"], r.inputs["referencedSecurityGroupId"]) for r in into} == {
        (data, e) for e in ends
    }
    assert {(r.inputs["fromPort"], r.inputs["toPort"], r.inputs["ipProtocol"]) for r in out + into} == {
        (5432, 5432, "tcp")
    }


def test_rules_wait_for_the_connection_since_they_name_a_group_across_it() -> None:
    rules = of_peering("prod", "SecurityGroupEgressRule") + of_peering("prod", "SecurityGroupIngressRule")
    assert len(rules) == 4
    assert [
        r.name for r in rules if not any(d.endswith("::peer-acme-connection") for d in r.dependencies)
    ] == []


def test_the_segments_that_are_joined_do_not_reach_the_internet_on_the_tenant_s_side() -> None:
    tenant = plan_dedicated_network("acme", "10.96.8.0/21", settings_of("prod"))
    assert tenant.segment("silo-data").reach is SubnetRouting.ISOLATED


def test_what_joins_a_tenant_is_marked_as_that_tenant_s() -> None:
    marked = [r for r in peered("prod").resources if PEERING in r.parent and "tags" in r.inputs]
    assert {r.inputs["tags"]["tenant"] for r in marked} == {"acme"}
    assert len(marked) == 5
