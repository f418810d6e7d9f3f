"""What holds for every registration of a committed stack."""

from collections import Counter

import pytest

from devtools.mocks import Registered
from plan.names import LIMITS
from tests.cells import cell_of, registry_of
from tests.program.cell import belonging, deployed, owners

STACKS = pytest.mark.parametrize("stack", ["dev", "prod"])

# Types that hold data: their loss is a tenant's loss.
STATEFUL = (
    "rds/instance:Instance",
    "kms/key:Key",
    "s3/bucket:Bucket",
    "cognito/userPool:UserPool",
)
# type → (input that encrypts, input that names the key)
ENCRYPTED = {
    "rds/instance:Instance": "kmsKeyId",
    "secretsmanager/secret:Secret": "kmsKeyId",
    "sns/topic:Topic": "kmsMasterKeyId",
    "sqs/queue:Queue": "kmsMasterKeyId",
    "cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "cloudtrail/trail:Trail": "kmsKeyId",
    "lambda/function:Function": "kmsKeyArn",
}


@STACKS
def test_every_resource_has_a_name_of_its_own(stack: str) -> None:
    assert [key for key, n in Counter(r.key for r in deployed(stack).resources).items() if n > 1] == []


@STACKS
def test_everything_hangs_from_the_platform(stack: str) -> None:
    """By the chain of parents: a URN under mocks names the next one only."""
    resources = deployed(stack).resources
    below = {r.urn for r in resources if r.type == "tenantry:cell:Platform"}
    for r in resources:  # parents are registered before their children
        if r.parent in below:
            below.add(r.urn)
    assert [r.key for r in resources if r.urn not in below] == [("pulumi:providers:aws", "aws")]


@STACKS
def test_every_component_says_that_it_is_complete(stack: str) -> None:
    recording = deployed(stack)
    components = {r.urn for r in recording.resources if r.type.startswith("tenantry:")}
    assert components - set(recording.finished) == set()


@STACKS
def test_every_aws_resource_goes_through_the_one_provider(stack: str) -> None:
    other = [
        r.key
        for r in deployed(stack).resources
        if r.type.startswith("aws:") and "pulumi:providers:aws::aws::" not in r.provider
    ]
    assert other == []


def test_prod_protects_all_that_holds_data() -> None:
    resources = [r for kind in STATEFUL for r in deployed("prod").of(kind)]
    readers = {r.name for r in resources if r.inputs.get("replicateSourceDb")}
    assert len(resources) > 50
    assert [r.key for r in resources if not r.protect and r.name not in readers] == []


@STACKS
@pytest.mark.parametrize("kind", sorted(ENCRYPTED))
def test_a_customer_key_encrypts(stack: str, kind: str) -> None:
    resources = deployed(stack).of(kind)
    replicas = {r.name for r in resources if r.inputs.get("replicateSourceDb")}  # take their source's key
    assert resources
    assert [r.name for r in resources if not r.inputs.get(ENCRYPTED[kind]) and r.name not in replicas] == []


@STACKS
def test_nobody_may_come_in_from_everywhere(stack: str) -> None:
    rules = deployed(stack).of("SecurityGroupIngressRule")
    assert rules
    assert [r.name for r in rules if "cidrIpv4" in r.inputs or "cidrIpv6" in r.inputs] == []


@STACKS
def test_nothing_leaves_to_everywhere_but_https(stack: str) -> None:
    rules = [r for r in deployed(stack).of("SecurityGroupEgressRule") if r.inputs.get("cidrIpv4")]
    assert {(r.inputs["cidrIpv4"], r.inputs["fromPort"], r.inputs["toPort"]) for r in rules} == {
        ("0.0.0.0/0", 443, 443)
    }


@STACKS
def test_every_role_has_the_boundary(stack: str) -> None:
    # Service-linked roles are AWS's own; the break-glass role is for what a boundary would forbid.
    roles = deployed(stack).of("iam/role:Role")
    free = [r.name for r in roles if not r.inputs.get("permissionsBoundary")]
    assert free in ([], ["baseline-break-glass-role"])


@STACKS
def test_every_tenant_is_in_the_exports_and_has_what_is_its_own(stack: str) -> None:
    recording = deployed(stack)
    ids = {t.id for t in registry_of(stack).tenants}
    assert set(recording.exports["tenants"]) == ids
    for tenant in ids:
        kinds = Counter(key[0].rsplit(":", 1)[-1] for key in belonging(recording, tenant))
        assert kinds["Role"] >= 1, tenant  # a dedicated network's flow logs have one too
        for kind in ("Key", "Alias", "Bucket", "Topic", "ApiKey", "Parameter", "Invocation"):
            assert kinds[kind] == 1, (tenant, kind)
        assert kinds["Secret"] >= 1, tenant


@STACKS
def test_a_tenants_data_is_under_its_own_key(stack: str) -> None:
    recording = deployed(stack)
    for tenant in cell_of(stack).tenants:
        own = belonging(recording, tenant.id)
        key = next(r for (t, _), r in own.items() if t == "aws:kms/key:Key")
        arn = f"arn:aws:mock:eu-west-1:111122223333:{key.name}"
        used = _keys_of(list(own.values()))
        assert used, tenant.id
        assert used == {arn}, tenant.id


def _keys_of(resources: list[Registered]) -> set[str]:
    # A silo's Performance Insights and master secret take its storage key too.
    names = ("kmsKeyId", "kmsMasterKeyId", "performanceInsightsKmsKeyId", "masterUserSecretKmsKeyId")
    logs = "cloudwatch/logGroup:LogGroup"  # a cell's logs are under the cell's key
    return {
        str(r.inputs[n]) for r in resources for n in names if r.inputs.get(n) and not r.type.endswith(logs)
    }


@STACKS
def test_nothing_of_a_tenant_names_another(stack: str) -> None:
    recording = deployed(stack)
    whose = owners(recording)
    ids = {t.id for t in registry_of(stack).tenants}
    guilty: list[tuple[str, str]] = []
    for r in recording.resources:
        mine = whose[r.urn]
        if mine is None:
            continue
        text = repr(r.inputs) + " ".join(r.dependencies)
        guilty += [(r.name, other) for other in ids - {mine} if other in text]
    assert guilty == []


@STACKS
def test_physical_names_are_within_the_limits_of_their_service(stack: str) -> None:
    limits = {
        "iam/role:Role": ("name", LIMITS["role"]),
        "s3/bucket:Bucket": ("bucket", LIMITS["bucket"]),
        "lb/loadBalancer:LoadBalancer": ("name", LIMITS["load-balancer"]),
        "lb/targetGroup:TargetGroup": ("name", LIMITS["target-group"]),
        "rds/instance:Instance": ("identifier", LIMITS["database"]),
        "sqs/queue:Queue": ("name", LIMITS["queue"]),
        "lambda/function:Function": ("name", LIMITS["function"]),
    }
    for kind, (name, most) in limits.items():
        found = [str(r.inputs[name]) for r in deployed(stack).of(kind)]
        assert found, kind
        assert len(set(found)) == len(found), kind
        assert [n for n in found if len(n) > most] == [], kind
