"""The demands in `tenants/quotas.yaml` against what the program registers."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest

from devtools.mocks import Recording
from plan import plan_cell
from tenants.models import Isolation, NetworkMode, Overrides, Quota
from tenants.project import Project
from tenants.quotas import Census, census, demand
from tests.cells import PROJECT, registry_of, settings_of
from tests.program.cell import deploy, deployed
from tests.strategies import DAY, World, committed_cell, plans

# quota → the types that it counts.
TYPES = {
    "db-instances": "rds/instance:Instance",
    "db-subnet-groups": "rds/subnetGroup:SubnetGroup",
    "db-parameter-groups": "rds/parameterGroup:ParameterGroup",
    "backup-replications": "rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    "networks": "ec2/vpc:Vpc",
    "internet-gateways": "ec2/internetGateway:InternetGateway",
    "elastic-addresses": "ec2/eip:Eip",
    "keys": "kms/key:Key",
    "roles": "iam/role:Role",
    "buckets": "s3/bucket:Bucket",
    "secrets": "secretsmanager/secret:Secret",
    "parameters": "ssm/parameter:Parameter",
    "topics": "sns/topic:Topic",
    "alarms": "cloudwatch/metricAlarm:MetricAlarm",
    "budgets": "budgets/budget:Budget",
    "usage-plans": "apigateway/usagePlan:UsagePlan",
    "api-keys": "apigateway/apiKey:ApiKey",
}


def _most_vcpus(recording: Recording) -> int:
    """Every service at its most tasks, as many again while it is deployed."""
    tasks = recording.of("ecs/taskDefinition:TaskDefinition")
    (most,) = {t.inputs["maxCapacity"] for t in recording.of("appautoscaling/target:Target")}
    (percent,) = {s.inputs["deploymentMaximumPercent"] for s in recording.of("ecs/service:Service")}
    return sum(int(t.inputs["cpu"]) for t in tasks) * most * percent // 100 // 1024


# quota → how much of it the program takes, where that is not a count of one type.
MEASURES: dict[str, Callable[[Recording], int]] = {
    "nat-gateways-of-a-zone": lambda r: max(_zones(r).values()),
    # The default group of each network counts too.
    "security-groups": lambda r: (
        len(r.of("/securityGroup:SecurityGroup")) + len(r.of("DefaultSecurityGroup"))
    ),
    "peerings-of-a-network": lambda r: len(r.of("VpcPeeringConnection")),
    "interface-endpoints": lambda r: _endpoints(r)["Interface"],
    "gateway-endpoints": lambda r: _endpoints(r)["Gateway"],
    "subnets-of-a-network": lambda r: max(Counter(s.inputs["vpcId"] for s in r.of("Subnet")).values()),
    "routes-of-a-table": lambda r: max(Counter(s.inputs["routeTableId"] for s in r.of("Route")).values()),
    # Routes are paths, and never a tenant's: no priority is given to one.
    "rules-of-a-listener": lambda r: len(r.of("ListenerRule")),
    # All that is reserved goes off what the account's functions share.
    "function-concurrency": lambda r: sum(
        f.inputs.get("reservedConcurrentExecutions", 0) for f in r.of("lambda/function:Function")
    ),
    "fargate-vcpus": _most_vcpus,
    "rules-of-a-security-group": lambda r: max(
        Counter(s.inputs["securityGroupId"] for s in r.of("SecurityGroupEgressRule")).values()
    ),
}
# Not a number of resources: what the service plans promise together.
PROMISED = {"requests-per-second"}
# Alarms of a database depend on its instance class and on its being a reader, and a source of any number of
# readers has one secret more: the data take the most.
SLACK = {"alarms": 4, "secrets": 1}


def _endpoints(recording: Recording) -> Counter[str]:
    return Counter(e.inputs["vpcEndpointType"] for e in recording.of("VpcEndpoint"))


def _zones(recording: Recording) -> Counter[str]:
    subnets = {s.name: s.inputs["availabilityZone"] for s in recording.of("Subnet")}
    return Counter(
        next(zone for name, zone in subnets.items() if n.inputs["subnetId"].startswith(name))
        for n in recording.of("NatGateway")
    )


KINDS: dict[str, dict[str, object]] = {
    "pool": {},
    "silo": {"isolation": Isolation.SILO},
    "dedicated": {"isolation": Isolation.SILO, "network": NetworkMode.DEDICATED},
    "silo with readers": {"isolation": Isolation.SILO, "overrides": Overrides(report_replicas=2)},
}


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    """The program makes a million futures: collecting them while it runs takes three times as long."""
    gc.disable()
    yield
    gc.enable()


@cache
def counted(stack: str, newcomer: str = "") -> tuple[Census, Recording]:
    """A committed stack, with one tenant more of a kind where one is named: as counted, as registered."""
    before = registry_of(stack)
    tenants = before.tenants
    if newcomer:
        pooled = next(t for t in tenants if t.isolation is Isolation.POOL and t.contacts.webhook)
        tenants = (*tenants, replace(pooled, id="new-comer", plan="premium", **KINDS[newcomer]))
    world = World(committed_cell(stack), tenants, before.ledger, DAY).run()
    found = census(world.cell, tenants, plans(), world.ledger)
    if not newcomer:
        return found, deployed(stack)
    return found, deploy(plan_cell(settings_of(stack), world.registry))


def quotas() -> dict[str, Quota]:
    found, findings = Project(PROJECT).quotas
    assert not findings
    return dict(found)


def test_every_quota_is_measured() -> None:
    assert set(quotas()) == set(TYPES) | set(MEASURES) | PROMISED


def measure(quota: str, recording: Recording) -> int:
    return MEASURES[quota](recording) if quota in MEASURES else len(recording.of(TYPES[quota]))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_stack_takes_more_than_its_demand(stack: str) -> None:
    found, recording = counted(stack)
    for id_, quota in quotas().items():
        if id_ not in PROMISED:
            taken, expected = measure(id_, recording), demand(quota, found)
            assert taken <= expected <= 1.25 * taken + 4, f"{id_}: {taken} registered, {expected} in the data"


def test_an_issuer_outside_of_the_cell_takes_what_the_data_say() -> None:
    """Its tokens are checked by a function of its own, whose concurrency is reserved."""
    settings = replace(settings_of("dev"), jwt_issuer="https://login.example", jwt_audience="reports")
    recording = deploy(plan_cell(settings, registry_of("dev")))
    found = {**counted("dev")[0], "issuer": 1}
    quota = quotas()["function-concurrency"]
    assert measure(quota.id, recording) == demand(quota, found) == demand(quota, counted("dev")[0]) + 50


@pytest.mark.parametrize(
    ("stack", "kind"),
    [*(("dev", kind) for kind in sorted(KINDS)), pytest.param("prod", "dedicated", marks=pytest.mark.slow)],
)
def test_a_tenant_more_takes_what_the_data_say(stack: str, kind: str) -> None:
    (before, one), (after, other) = counted(stack), counted(stack, kind)
    for id_, quota in quotas().items():
        if id_ not in PROMISED:
            taken = measure(id_, other) - measure(id_, one)
            expected = demand(quota, after) - demand(quota, before)
            assert taken <= expected <= taken + SLACK.get(id_, 0), id_
