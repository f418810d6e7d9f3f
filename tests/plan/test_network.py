"""Addresses, paths and ACLs of the network, for any cell and not for the committed ones only."""

import ipaddress
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan.network.acls import MAX_RULES, AclRule, Flow, Side, acl_rules
from plan.network.network import NetworkPlan, SegmentPlan, cut, plan_cell_network, plan_dedicated_network
from plan.network.paths import (
    CELL_GROUPS,
    CELL_PATHS,
    CELL_SEGMENTS,
    DEDICATED_GROUPS,
    DEDICATED_SEGMENTS,
    GATEWAY_SEGMENTS,
    INTERNET,
    OUTSIDE,
    SubnetRouting,
)
from plan.settings import Settings
from tests.cells import settings_of

ZONES = tuple(f"eu-west-1{letter}" for letter in "abcdef")
CELL_CIDR = "10.16.0.0/16"
CLIENT = 40_000  # a port that clients call from

zone_sets = st.sets(st.sampled_from(ZONES), min_size=2, max_size=4).map(lambda z: tuple(sorted(z)))
cell_cidrs = st.integers(0, 63).map(lambda n: f"10.{n}.0.0/16")
dedicated_cidrs = st.integers(0, 31).map(lambda n: f"10.64.{8 * n}.0/21")


def cell(
    zones: tuple[str, ...] = ZONES[:2], cidr: str = CELL_CIDR, *, nat_per_zone: bool = False
) -> Settings:
    return replace(
        settings_of("dev"),
        zones=zones,
        network_cidr=cidr,
        tenant_networks="10.64.0.0/16",
        nat_per_zone=nat_per_zone,
    )


def networks_of(plan: NetworkPlan) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(cidr) for segment in plan.segments for cidr in segment.cidrs]


# Addresses


@given(zone_sets, cell_cidrs)
def test_subnets_of_the_cell_are_inside_it_and_apart(zones: tuple[str, ...], cidr: str) -> None:
    found = networks_of(plan_cell_network(cell(zones, cidr)))
    assert len(found) == len(CELL_SEGMENTS) * len(zones)
    assert all(n.subnet_of(ipaddress.IPv4Network(cidr)) for n in found)
    assert [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])] == []


@given(zone_sets, dedicated_cidrs)
def test_subnets_of_a_dedicated_network_are_inside_it_and_apart(zones: tuple[str, ...], cidr: str) -> None:
    found = networks_of(plan_dedicated_network("acme", cidr, cell(zones)))
    assert len(found) == len(DEDICATED_SEGMENTS) * len(zones)
    assert all(n.subnet_of(ipaddress.IPv4Network(cidr)) and n.prefixlen <= 28 for n in found)
    assert [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])] == []


@given(zone_sets, zone_sets)
def test_addresses_of_a_zone_do_not_depend_on_the_others(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    for make in (
        lambda z: plan_cell_network(cell(z)),
        lambda z: plan_dedicated_network("acme", "10.64.8.0/21", cell(z)),
    ):
        first, second = make(one), make(other)
        for zone, segment in product(set(one) & set(other), first.segments):
            assert subnet_in(segment, zone) == subnet_in(second.segment(segment.name), zone)


def subnet_in(segment: SegmentPlan, zone: str) -> str:
    return next(s.cidr for s in segment.subnets if s.zone == zone)


@given(zone_sets)
def test_a_segment_covers_its_subnets_in_every_zone_to_come(zones: tuple[str, ...]) -> None:
    for segment in plan_cell_network(cell(zones)).segments:
        whole = ipaddress.IPv4Network(segment.cidr)
        assert all(ipaddress.IPv4Network(cidr).subnet_of(whole) for cidr in segment.cidrs)


@given(st.integers(16, 24), st.integers(1, 4), st.data())
def test_a_cut_is_inside_its_parent_and_never_past_its_end(
    prefix: int, more: int, data: st.DataObject
) -> None:
    parent = ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.0.0.0")), prefix))
    place = data.draw(st.integers(0, 2**more - 1))
    assert ipaddress.IPv4Network(cut(str(parent), prefix + more, place)).subnet_of(parent)
    with pytest.raises(ValueError, match=f"has no /{prefix + more} number {2**more}"):
        cut(str(parent), prefix + more, 2**more)


@pytest.mark.parametrize("table", [CELL_SEGMENTS, DEDICATED_SEGMENTS])
def test_no_two_segments_share_a_place(table: dict[str, tuple[int, SubnetRouting]]) -> None:
    places = [place for place, _ in table.values()]
    assert len(set(places)) == len(places)


@given(zone_sets, st.booleans())
def test_nat_stands_in_zones_of_the_network(zones: tuple[str, ...], nat_per_zone: bool) -> None:
    plan = plan_cell_network(cell(zones, nat_per_zone=nat_per_zone))
    assert plan.nat_zones == (plan.zones if nat_per_zone else plan.zones[:1])


# The table of paths


def test_every_end_of_a_path_is_a_group_in_a_segment_or_a_named_outside() -> None:
    segments = {s.name for s in plan_cell_network(cell()).segments}
    assert {p.source for p in CELL_PATHS} <= set(CELL_GROUPS)
    assert {p.target for p in CELL_PATHS} <= set(CELL_GROUPS) | OUTSIDE
    assert set(CELL_GROUPS.values()) <= segments
    assert set(DEDICATED_GROUPS.values()) <= set(DEDICATED_SEGMENTS)


def test_every_group_is_on_some_path() -> None:
    assert set(CELL_GROUPS) == {p.source for p in CELL_PATHS} | {p.target for p in CELL_PATHS} - OUTSIDE


def test_paths_have_names_of_their_own() -> None:
    names = [p.name for p in CELL_PATHS]
    assert len(set(names)) == len(names)


def test_what_a_path_is_for_can_be_a_description_of_a_rule() -> None:
    """AWS takes 255 of these for groups and rules (EC2 API reference, IpRange, 2026-11)."""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*")
    assert [p.name for p in CELL_PATHS if not p.why or len(p.why) > 255 or set(p.why) - allowed] == []


def test_databases_and_endpoints_call_nobody_and_only_services_leave_the_network() -> None:
    callers = {p.source for p in CELL_PATHS}
    assert callers.isdisjoint({"monolith-db", "reports-db", "pool-db", "silo-db", "endpoints"})
    plan = plan_cell_network(cell())
    # What has no path but to S3 has no way out: that one leads to the gateway endpoint.
    leaving = {CELL_GROUPS[p.source] for p in CELL_PATHS if p.target == INTERNET}
    assert {s.name for s in plan.segments if s.reach is SubnetRouting.PRIVATE} == leaving


# ACLs: packets are followed there and back, as AWS does it without memory


def passes(rules: tuple[AclRule, ...], *, egress: bool, cidr: str, port: int) -> bool:
    there = ipaddress.IPv4Network(cidr)
    return any(
        r.egress is egress
        and r.from_port <= port <= r.to_port
        and there.subnet_of(ipaddress.IPv4Network(r.cidr))
        for r in rules
    )


def connects(source: SegmentPlan, target: SegmentPlan, port: int) -> bool:
    """A connection from `source` is answered: request out and in, answer out and in."""
    return (
        passes(source.acl, egress=True, cidr=target.cidr, port=port)
        and passes(target.acl, egress=False, cidr=source.cidr, port=port)
        and passes(target.acl, egress=True, cidr=source.cidr, port=CLIENT)
        and passes(source.acl, egress=False, cidr=target.cidr, port=CLIENT)
    )


PROBED = (22, 80, 443, 1433, 3306, 5432, 6379, 8080, 8443, 27017, 50_000)


@given(zone_sets, cell_cidrs)
def test_acls_of_the_cell_let_just_the_paths_of_the_table_through(zones: tuple[str, ...], cidr: str) -> None:
    plan = plan_cell_network(cell(zones, cidr))
    found = {
        (a.name, b.name, port)
        for a, b, port in product(plan.segments, plan.segments, PROBED)
        if a is not b and connects(a, b, port)
    }
    table = {
        (CELL_GROUPS[p.source], CELL_GROUPS[p.target], p.port) for p in CELL_PATHS if p.target not in OUTSIDE
    }
    through_nat = {(s.name, "public", 443) for s in plan.segments if s.reach is SubnetRouting.PRIVATE}
    assert found == {(a, b, port) for a, b, port in table | through_nat if a != b}


def test_acls_let_a_segment_talk_to_itself_on_its_paths_only_among_system_ports() -> None:
    """Above 1023 answers share the ports with requests; there the groups decide alone."""
    plan = plan_cell_network(cell())
    within = {
        (CELL_GROUPS[p.source], p.port)
        for p in CELL_PATHS
        if CELL_GROUPS.get(p.target) == CELL_GROUPS[p.source]
    }
    found = {(s.name, port) for s, port in product(plan.segments, range(1, 1024)) if connects(s, s, port)}
    assert found == {(s, port) for s, port in within if port < 1024}
    for segment, port in within:
        assert connects(plan.segment(segment), plan.segment(segment), port)


def test_readers_of_a_database_follow_it_through_the_acl() -> None:
    plan = plan_cell_network(cell())
    data = plan.segment("reports-data")
    assert connects(data, data, 5432)


def test_only_segments_with_a_way_out_speak_with_the_internet_and_on_443_alone() -> None:
    for plan in (plan_cell_network(cell()), plan_dedicated_network("acme", "10.64.8.0/21", cell())):
        for segment, port in product(plan.segments, PROBED):
            asked = passes(segment.acl, egress=True, cidr="203.0.113.0/24", port=port)
            answered = passes(segment.acl, egress=False, cidr="203.0.113.0/24", port=CLIENT)
            open_to = passes(segment.acl, egress=False, cidr="203.0.113.0/24", port=min(port, 1023))
            outward = segment.reach is not SubnetRouting.ISOLATED or segment.name in GATEWAY_SEGMENTS
            assert (asked and answered) is (outward and port == 443)
            assert not open_to


@given(dedicated_cidrs, zone_sets)
def test_acls_between_cell_and_dedicated_network_let_just_postgresql_through(
    cidr: str, zones: tuple[str, ...]
) -> None:
    here, there = plan_cell_network(cell(zones)), plan_dedicated_network("acme", cidr, cell(zones))
    found = {
        (a.name, b.name, port)
        for a, b, port in product(here.segments, there.segments, PROBED)
        if connects(a, b, port)
    }
    assert found == {("monolith", "silo-data", 5432), ("functions", "silo-data", 5432)}
    back = [(a.name, b.name) for a, b in product(there.segments, here.segments) if connects(a, b, 5432)]
    assert back == []


def test_acls_keep_dedicated_networks_from_each_other() -> None:
    one, other = (
        plan_dedicated_network(t, c, cell()) for t, c in (("a", "10.64.0.0/21"), ("b", "10.64.8.0/21"))
    )
    assert [p for p in product(one.segments, other.segments, PROBED) if connects(*p)] == []


@given(zone_sets, dedicated_cidrs)
def test_numbers_of_acl_rules_are_unique_and_within_the_quota(zones: tuple[str, ...], cidr: str) -> None:
    for plan in (plan_cell_network(cell(zones)), plan_dedicated_network("acme", cidr, cell(zones))):
        for segment, egress in product(plan.segments, (True, False)):
            numbers = [r.number for r in segment.acl if r.egress is egress]
            assert len(set(numbers)) == len(numbers) <= MAX_RULES
            assert all(1 <= n <= 32766 for n in numbers)


def test_acls_of_the_cell_do_not_depend_on_who_has_a_dedicated_network() -> None:
    """They know the block that such networks are cut from, so that no tenant edits a shared ACL."""
    rules = {r.cidr for s in plan_cell_network(cell()).segments for r in s.acl}
    assert "10.64.0.0/16" in rules
    assert [c for c in rules if c.startswith("10.64.") and c != "10.64.0.0/16"] == []


def test_more_rules_than_aws_takes_are_refused() -> None:
    own = Side("10.0.0.0/20", 100)
    flows = [Flow(own, Side(f"10.0.{16 * i}.0/20", 100 + 100 * i), 443) for i in range(1, MAX_RULES + 2)]
    with pytest.raises(ValueError, match="21 ACL rules in one direction"):
        acl_rules(own, flows)


# Endpoints


def test_interface_endpoints_are_the_cell_s_alone_and_gateways_everybody_s() -> None:
    inside, dedicated = plan_cell_network(cell()), plan_dedicated_network("acme", "10.64.8.0/21", cell())
    needed = {
        "ecr.api",
        "ecr.dkr",
        "logs",
        "secretsmanager",
        "kms",
        "sns",
        "sqs",
        "states",
        "sts",
        "ssm",
        "rds",
    }
    assert {e.service for e in inside.endpoints if not e.gateway} == needed
    for plan in (inside, dedicated):
        assert {e.service for e in plan.endpoints if e.gateway} == {"s3", "dynamodb"}
    assert [e.service for e in dedicated.endpoints if not e.gateway] == []


def test_endpoints_let_only_what_is_spelled_pass_and_only_to_this_account() -> None:
    settings = cell()
    for endpoint in plan_cell_network(settings).endpoints:
        for access in endpoint.access:
            assert [a for a in access.actions if "*" in a] == []
            assert not access.anybody or access.resources == (
                f"arn:aws:s3:::prod-{settings.region}-starport-layer-bucket/*",
            )
            ours = [settings.account_id in r or f"tenantry-{settings.stack}-" in r for r in access.resources]
            without_resource = access.resources == ("*",)
            assert access.anybody or all(ours) or without_resource


def test_images_of_another_account_can_be_pulled_through_the_endpoint() -> None:
    image = f"999988887777.dkr.ecr.eu-west-1.amazonaws.com/monolith@sha256:{'0' * 64}"
    plan = plan_cell_network(replace(cell(), monolith_image=image))
    pull = next(e for e in plan.endpoints if e.service == "ecr.dkr").access[0]
    assert set(pull.resources) == {
        f"arn:aws:ecr:eu-west-1:{account}:repository/*"
        for account in (settings_of("dev").account_id, "999988887777")
    }
