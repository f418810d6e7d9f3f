"""Rules on resilience: backups, versions, standbys, protection from deletion."""

from collections.abc import Mapping
from typing import Final, cast

from policies.checks import all_of, at_least, companion, in_prod, is_false, is_true, one_of, unless
from policies.control_ids import AVAILABILITY, BACKUP, DELETION
from policies.model import PASS, Plan, Resource, Verdict, fail
from policies.rule import Check, Made, Ref, Rule, Severity
from policies.rules.example_builders import BUCKET, BUCKET_TYPE, KEY, example
from policies.stateful import STATEFUL

INSTANCE: Final = "aws:rds/instance:Instance"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
_SMALL: Final = {"instanceClass": "db.t4g.medium"}
_TABLE: Final = "aws:dynamodb/table:Table"
_POOL: Final = "aws:cognito/userPool:UserPool"
_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_LB: Final = {"internal": True, "subnets": ["subnet-1", "subnet-2"]}
_SERVICE: Final = "aws:ecs/service:Service"
_SERVICE_INPUTS: Final = {"cluster": "example", "taskDefinition": "example:1", "launchType": "FARGATE"}
RELEASED: Final = "released"  # a tag
LEAVING: Final = "leaving"  # its value where the tenant goes; no snapshot can be made under a dead key
RESTORE: Final = "restore"  # where it holds for some days what backups hold
WHYS: Final = ("move", LEAVING, RESTORE)
BACKUP_DAYS: Final = 7
BACKUP_DAYS_PROD: Final = 30


def _backups(resource: Resource, plan: Plan) -> Verdict:
    least = BACKUP_DAYS_PROD if plan.prod else BACKUP_DAYS
    return at_least("backupRetentionPeriod", least, default=1)(resource, plan)


def _protected(resource: Resource, plan: Plan) -> Verdict:
    """The engine's own protection, on what holds data; what a replica holds, its source holds too."""
    if resource.protect or resource.get("replicateSourceDb") or not STATEFUL[resource.type].protect:
        return PASS
    if _released(resource):
        return PASS
    return fail("`protect` is not set") if plan.prod else PASS


def _released(resource: Resource, *why: str) -> bool:
    """Whether a reviewed stage of a tenant's life has let it go: a move that is done, a tenant that leaves,
    a restore that needs it for its own days only.

    The registry refuses the tag in a tenant's own ones, so nothing but the plan of such a stage sets it.
    """
    tags = resource.get("tags")
    reason = cast("Mapping[str, object]", tags).get(RELEASED) if isinstance(tags, Mapping) else None
    return reason in (why or WHYS)


def _unless_released(check: Check, *why: str) -> Check:
    def checked(resource: Resource, plan: Plan) -> Verdict:
        return PASS if _released(resource, *why) else check(resource, plan)

    return checked


RULES: Final = (
    Rule(
        id="database-backups",
        title=f"Databases keep backups for {BACKUP_DAYS} days, in prod for {BACKUP_DAYS_PROD} or more",
        types=(INSTANCE, "aws:rds/cluster:Cluster"),
        check=unless("replicateSourceDb", _backups),
        remedy="Raise tenantry:backupDays.",
        controls=BACKUP,
        good=example(INSTANCE, {**_SMALL, "backupRetentionPeriod": 35}),
        bad=example(INSTANCE, {**_SMALL, "backupRetentionPeriod": 1}),
    ),
    Rule(
        id="database-final-snapshot",
        title="A database of prod leaves a snapshot and its backups when it is deleted",
        types=(INSTANCE, "aws:rds/cluster:Cluster"),
        check=in_prod(
            _unless_released(
                unless(
                    "replicateSourceDb",
                    all_of(is_false("skipFinalSnapshot"), is_false("deleteAutomatedBackups", default=True)),
                ),
                LEAVING,
                RESTORE,
            )
        ),
        remedy="Set tenantry:protectData to true.",
        controls=(*BACKUP, *DELETION),
        good=example(INSTANCE, {**_SMALL, "skipFinalSnapshot": False, "deleteAutomatedBackups": False}),
        bad=example(INSTANCE, {**_SMALL, "skipFinalSnapshot": True, "deleteAutomatedBackups": False}),
    ),
    Rule(
        id="database-standby",
        title="Databases of prod have a standby in another zone",
        types=(INSTANCE,),
        check=in_prod(unless("replicateSourceDb", is_true("multiAz"))),
        remedy="Set tenantry:multiAz to true.",
        controls=AVAILABILITY,
        good=example(INSTANCE, {**_SMALL, "multiAz": True}),
        bad=example(INSTANCE, {**_SMALL, "multiAz": False}),
    ),
    Rule(
        id="database-deletion-protected",
        title="Databases of prod have deletion protection",
        types=(INSTANCE, "aws:rds/cluster:Cluster"),
        check=in_prod(_unless_released(is_true("deletionProtection"))),
        remedy="Set tenantry:protectData to true.",
        controls=DELETION,
        good=example(INSTANCE, {**_SMALL, "deletionProtection": True}),
        bad=example(INSTANCE, {**_SMALL, "deletionProtection": False}),
    ),
    Rule(
        id="bucket-versioned",
        title="Buckets keep previous versions",
        types=(BUCKET_TYPE,),
        check=companion(VERSIONING, "bucket", one_of("versioningConfiguration.status", "Enabled")),
        remedy="Give the bucket a BucketVersioning (components.common.bucket.SecureBucket does).",
        controls=BACKUP,
        whole_plan=True,
        good=example(
            BUCKET_TYPE,
            BUCKET.inputs,
            after=(
                Made(
                    VERSIONING,
                    "versions",
                    {"bucket": Ref("it", "id"), "versioningConfiguration": {"status": "Enabled"}},
                ),
            ),
        ),
        bad=example(
            BUCKET_TYPE,
            BUCKET.inputs,
            after=(
                Made(
                    VERSIONING,
                    "versions",
                    {"bucket": Ref("it", "id"), "versioningConfiguration": {"status": "Suspended"}},
                ),
            ),
        ),
    ),
    Rule(
        id="bucket-not-emptied",
        title="A bucket of prod is never emptied so that it can be deleted",
        types=(BUCKET_TYPE,),
        check=in_prod(is_false("forceDestroy")),
        remedy="Set `forceDestroy` to false.",
        controls=DELETION,
        good=example(BUCKET_TYPE, {"forceDestroy": False}),
        bad=example(BUCKET_TYPE, {"forceDestroy": True}),
    ),
    Rule(
        id="table-recoverable",
        title="Tables have point-in-time recovery, and deletion protection in prod",
        types=(_TABLE,),
        check=all_of(is_true("pointInTimeRecovery.enabled"), in_prod(is_true("deletionProtectionEnabled"))),
        remedy="Set `pointInTimeRecovery.enabled` and `deletionProtectionEnabled`.",
        controls=(*BACKUP, *DELETION),
        good=example(
            _TABLE,
            {
                "hashKey": "id",
                "attributes": [{"name": "id", "type": "S"}],
                "billingMode": "PAY_PER_REQUEST",
                "pointInTimeRecovery": {"enabled": True},
                "deletionProtectionEnabled": True,
            },
        ),
        bad=example(
            _TABLE,
            {
                "hashKey": "id",
                "attributes": [{"name": "id", "type": "S"}],
                "billingMode": "PAY_PER_REQUEST",
                "deletionProtectionEnabled": True,
            },
        ),
    ),
    Rule(
        id="user-pool-deletion-protected",
        title="The user pool of prod has deletion protection",
        types=(_POOL,),
        check=in_prod(one_of("deletionProtection", "ACTIVE")),
        remedy="Set tenantry:protectData to true.",
        controls=DELETION,
        good=example(_POOL, {"deletionProtection": "ACTIVE"}),
        bad=example(_POOL, {"deletionProtection": "INACTIVE"}),
    ),
    Rule(
        id="balancer-deletion-protected",
        title="Load balancers of prod have deletion protection",
        types=(_BALANCER,),
        check=in_prod(is_true("enableDeletionProtection")),
        remedy="Set tenantry:protectData to true.",
        controls=DELETION,
        good=example(_BALANCER, {**_LB, "enableDeletionProtection": True}),
        bad=example(_BALANCER, {**_LB, "enableDeletionProtection": False}),
    ),
    Rule(
        id="data-protected",
        title="In prod, resources that hold data are protected in Pulumi (protect)",
        types=tuple(t for t, s in STATEFUL.items() if s.protect),
        check=_protected,
        remedy="Give the resource `protect=settings.protect_data`.",
        controls=DELETION,
        good=example("aws:kms/key:Key", KEY.inputs, protect=True),
        bad=example("aws:kms/key:Key", KEY.inputs),
    ),
    Rule(
        id="service-rolls-back",
        title="A deployment that fails is rolled back automatically",
        types=(_SERVICE,),
        check=all_of(
            is_true("deploymentCircuitBreaker.enable"), is_true("deploymentCircuitBreaker.rollback")
        ),
        remedy="Set `deploymentCircuitBreaker` with rollback.",
        controls=(*AVAILABILITY, "SOC2:CC8.1", "ISO:A.8.32"),
        severity=Severity.ADVISORY,
        good=example(
            _SERVICE, {**_SERVICE_INPUTS, "deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        ),
        bad=example(_SERVICE, _SERVICE_INPUTS),
    ),
    Rule(
        id="service-redundant",
        title="Services of prod run two tasks or more",
        types=(_SERVICE,),
        check=in_prod(at_least("desiredCount", 2, default=0)),
        remedy="Raise tenantry:tasksMin.",
        controls=AVAILABILITY,
        good=example(_SERVICE, {**_SERVICE_INPUTS, "desiredCount": 2}),
        bad=example(_SERVICE, {**_SERVICE_INPUTS, "desiredCount": 1}),
    ),
)
