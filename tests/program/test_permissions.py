"""What roles are given against what the boundary and the endpoints let through.

A permission that either of them swallows fails at run time only, and far from its cause.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from devtools.mocks import Recording, Registered
from plan.account.baseline import ALLOWED, actions
from plan.network.network import plan_cell_network
from tests.cells import settings_of
from tests.program.cell import deployed

STACKS = ("dev", "prod")
in_both_stacks = pytest.mark.parametrize("stack", STACKS)

POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
# Policies of AWS's that roles carry, and what they allowed in 2026-11.
_LOGS = "CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents GetLogEvents"
MANAGED: Mapping[str, Mapping[str, str]] = {
    "AmazonAPIGatewayPushToCloudWatchLogs": {"logs": f"{_LOGS} DescribeLogGroups FilterLogEvents"},
    "AmazonRDSEnhancedMonitoringRole": {"logs": f"{_LOGS} PutRetentionPolicy"},
}
# Services that a function in the VPC is given actions of and does not call from inside it: AWS makes
# its network interfaces and takes its traces, and a token for a database is signed where it is used (boto3,
# generate_db_auth_token, 2026-11).
NOT_FROM_INSIDE = {"ec2", "rds-db", "xray"}


def allowed(policy: str) -> set[str]:
    statements = json.loads(policy)["Statement"]
    return {a for s in statements if s["Effect"] == "Allow" for a in s["Action"]}


def roles(found: Recording) -> dict[str, Registered]:
    return {r.inputs["name"]: r for r in found.of("iam/role:Role")}


def given(found: Recording) -> dict[str, set[str]]:
    """Name of a role → the actions that its inline policies allow."""
    by_id = {f"{r.name}-id": name for name, r in roles(found).items()} | {n: n for n in roles(found)}
    result: dict[str, set[str]] = {name: set() for name in roles(found)}
    for policy in found.of("iam/rolePolicy:RolePolicy"):
        result[by_id[policy.inputs["role"]]] |= allowed(policy.inputs["policy"])
    return result


def trusted(role: Registered) -> set[str]:
    """Services and accounts that may assume a role."""
    statements: Iterable[Mapping[str, Any]] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    return {who for s in statements for kind in s["Principal"].values() for who in kind}


@in_both_stacks
def test_every_role_carries_the_boundary(stack: str) -> None:
    boundaries = {n: r.inputs.get("permissionsBoundary", "") for n, r in roles(deployed(stack)).items()}
    emergency = f"tenantry-{stack}-break-glass"
    assert boundaries.pop(emergency) == POWER_USER
    assert {n: b for n, b in boundaries.items() if not b.endswith("baseline-boundary")} == {}
    assert len(boundaries) > 10


@in_both_stacks
def test_the_boundary_swallows_nothing_that_a_role_is_given(stack: str) -> None:
    possible = set(actions(ALLOWED))
    swallowed = {name: sorted(found - possible) for name, found in given(deployed(stack)).items()}
    swallowed = {name: lost for name, lost in swallowed.items() if lost}
    assert swallowed == {}, "add to ALLOWED in plan/account/baseline.py what the platform really needs"


@in_both_stacks
def test_the_boundary_swallows_nothing_of_aws_s_own_policies(stack: str) -> None:
    attached = {a.inputs["policyArn"] for a in deployed(stack).of("RolePolicyAttachment")} - {POWER_USER}
    found = {arn: set(actions(MANAGED[arn.rsplit("/", 1)[1]])) for arn in attached}
    assert found
    assert {
        arn: sorted(lost - set(actions(ALLOWED)))
        for arn, lost in found.items()
        if lost - set(actions(ALLOWED))
    } == {}


@in_both_stacks
def test_endpoints_let_through_what_roles_inside_the_network_are_given(stack: str) -> None:
    """Where a service has an endpoint, every call to it from inside goes through its policy."""
    open_to: dict[str, set[str]] = {}
    for endpoint in plan_cell_network(settings_of(stack)).endpoints:
        for access in endpoint.access:
            open_to.setdefault(endpoint.service.split(".")[0], set()).update(access.actions)
    found = deployed(stack)
    inside = [
        name
        for name, role in roles(found).items()
        if trusted(role) & {"ecs-tasks.amazonaws.com", "lambda.amazonaws.com"}
        or any(who.startswith("arn:") and not who.endswith(":root") for who in trusted(role))
    ]
    assert len(inside) > 8
    stopped = {
        name: sorted(
            a for a in given(found)[name] if (s := a.split(":")[0]) in open_to and a not in open_to[s]
        )
        for name in inside
    }
    assert {name: lost for name, lost in stopped.items() if lost} == {}, "see plan/network/endpoints.py"


@in_both_stacks
def test_functions_in_a_segment_without_a_way_out_call_nothing_that_has_no_endpoint(stack: str) -> None:
    services = {e.service.split(".")[0] for e in plan_cell_network(settings_of(stack)).endpoints}
    found = deployed(stack)
    functions = {n for n, r in roles(found).items() if "lambda.amazonaws.com" in trusted(r)}
    assert len(functions) >= 5
    called = {a.split(":")[0] for name in functions for a in given(found)[name]}
    assert called - services - NOT_FROM_INSIDE == set()
