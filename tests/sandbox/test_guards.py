"""IAM between tenants: each guard holds alone, and without it the attack goes through.

An attack is tried on the dev stack's own policies. Where two guards stand in its way, the others are
lifted first, as if they had failed; then it is refused by the one that is left, and only by that one:
taken away too, the attacker has what it wanted. A guard of which the test does not fail when it is gone
would be no guard.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.cloud.store import FILE, Row, Store
from tests.sandbox.live import ACCOUNT, Live, Statements, refused
from tests.sandbox.test_endpoint import key_of, secret_of

A, B = "amber-pay", "birch-lending"
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
BUCKET = f"tenantry-dev-t-{A}-{ACCOUNT}"
ROLE, KEY, SECRET = "aws:iam/role:Role", "aws:kms/key:Key", "aws:secretsmanager/secret:Secret"
POLICY, BUCKET_POLICY = "aws:iam/rolePolicy:RolePolicy", "aws:s3/bucketPolicy:BucketPolicy"
Do = Callable[[Live], Any]


@dataclass(frozen=True)
class Guard:
    """What keeps B, or anybody, from A's things."""

    name: str
    attack: Do
    lift: Do  # takes this guard away
    others: tuple[Do, ...] = ()  # take away what also stands in the way
    words: str = "because no identity-based policy allows"
    ready: tuple[Do, ...] = field(default=())  # what A has done before


# -- what is taken away


@dataclass(frozen=True)
class Lift:
    """One change to one statement of a document that a resource holds."""

    kind: str
    urn: str
    key: str
    sid: str
    change: Callable[[dict[str, Any]], dict[str, Any] | None]

    def __call__(self, live: Live) -> None:
        def changed(statements: Statements) -> Statements:
            assert any(s["Sid"] == self.sid for s in statements), f"no {self.sid} in {self.urn}"
            after = [self.change(s) if s["Sid"] == self.sid else s for s in statements]
            return [s for s in after if s is not None]

        live.edit(live.row(self.kind, self.urn), self.key, changed)


def without(kind: str, urn: str, key: str, sid: str) -> Lift:
    """The statement is gone."""
    return Lift(kind, urn, key, sid, lambda _: None)


def unconditional(kind: str, urn: str, key: str, sid: str, word: str) -> Lift:
    """The statement loses a condition, which must be there."""

    def change(statement: dict[str, Any]) -> dict[str, Any]:
        conditions = {
            o: {k: v for k, v in keys.items() if k != word} for o, keys in statement["Condition"].items()
        }
        assert conditions != statement["Condition"], word
        return {**statement, "Condition": {o: keys for o, keys in conditions.items() if keys}}

    return Lift(kind, urn, key, sid, change)


def anybody(kind: str, urn: str, key: str, sid: str) -> Lift:
    """The statement names the whole account instead of single roles."""
    return Lift(kind, urn, key, sid, lambda s: {**s, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})


def wide(role: str) -> Do:
    return lambda live: live.widen(role)


def no_boundary(role: str) -> Do:
    def lift(live: Live) -> None:
        row = live.role(role)
        row = type(row)(row.type, row.id, row.urn, {**row.inputs, "permissionsBoundary": None}, row.outputs)
        with live.store.change():
            live.store.put(row, "-", (row.id, str(row.outputs["arn"])))

    return lift


# -- what is tried


def read_secret(live: Live) -> Any:
    return live.tenant("secretsmanager", B).get_secret_value(SecretId=secret_of(live, A))


def read_object(live: Live) -> Any:
    return live.tenant("s3", B).get_object(Bucket=BUCKET, Key="report")


def list_objects(live: Live) -> Any:
    return live.tenant("s3", B).list_objects_v2(Bucket=BUCKET)


def read_catalog(live: Live) -> Any:
    return live.tenant("ssm", B).get_parameter(Name=f"/tenantry/dev/tenants/{A}")


def publish(live: Live) -> Any:
    topic = live.row("aws:sns/topic:Topic", f"{A}-tenant-topic").id
    return live.tenant("sns", B).publish(TopicArn=topic, Message="from B")


def use_key(role: str, message: str) -> Do:
    return lambda live: live.tenant("kms", role).encrypt(
        KeyId=key_of(live, A), Plaintext=b"a row", EncryptionContext={"tenant": message}
    )


def become(tenant: str, message: str | None, role: str = "monolith-task") -> Do:
    return lambda live: live.become(tenant, message, role)


def put(**chosen: str) -> Do:
    def attack(live: Live) -> Any:
        given = {k: key_of(live, B) if v == "of B" else v for k, v in chosen.items()}
        return live.tenant("s3", A).put_object(Bucket=BUCKET, Key="mine", Body=b"x", **given)

    return attack


def filled(live: Live) -> None:
    """A has a secret and an object."""
    function = live.client("secretsmanager", "bootstrap")
    function.put_secret_value(SecretId=secret_of(live, A), SecretString="of A")
    live.tenant("s3", A).put_object(Bucket=BUCKET, Key="report", Body=b"of A")


# -- the guards

TRUST = (ROLE, f"::{A}-identity-role", "assumeRolePolicy", "ServicesForThisTenant")
KEY_OF_A = (KEY, f"::{A}-identity-key", "policy")


def read_as(role: str) -> Do:
    """A's login, read by a function of the cell's."""
    return lambda live: live.client("secretsmanager", role).get_secret_value(SecretId=secret_of(live, A))


SECRET_OF_A = (SECRET, f"::{A}-tenant-secrets-database", "policy")
BUCKET_OF_A = (BUCKET_POLICY, f"::{A}-tenant-artefacts-policy", "policy")
DENIES = "with an explicit deny in a resource-based policy"
NO_RESOURCE = "because no resource-based policy allows"
WIDE_B = wide(f"tenant-{B}")
GUARDS = [
    Guard(
        "a service becomes the tenant that it says",
        become(A, B),
        unconditional(*TRUST, "aws:RequestTag/tenant"),
        words=NO_RESOURCE,
    ),
    Guard(
        "a service says one tag and no more",
        lambda live: live.client("sts", "monolith-task").assume_role(
            RoleArn=live.role(f"tenant-{A}").outputs["arn"],
            RoleSessionName="test",
            Tags=[{"Key": "tenant", "Value": A}, {"Key": "admin", "Value": "yes"}],
        ),
        unconditional(*TRUST, "aws:TagKeys"),
        words=NO_RESOURCE,
    ),
    Guard(
        "a tenant's role trusts the services alone",
        become(A, A, f"tenant-{B}"),
        anybody(*TRUST),
        others=(WIDE_B, no_boundary(f"tenant-{B}")),
        words=NO_RESOURCE,
    ),
    Guard(
        "a role reads its own secrets",
        read_secret,
        WIDE_B,
        others=(without(*SECRET_OF_A, "NoOtherTenant"),),
        ready=(filled,),
    ),
    Guard(
        "a secret denies other tenants",
        read_secret,
        without(*SECRET_OF_A, "NoOtherTenant"),
        others=(WIDE_B,),
        words=DENIES,
        ready=(filled,),
    ),
    Guard(
        "a secret denies who moves tenants while this one does not move",
        read_as("mover"),
        without(*SECRET_OF_A, "NoMoveIsOn"),
        words=DENIES,
        ready=(filled,),
    ),
    Guard(
        "a secret denies who lets tenants go while this one stays",
        read_as("leaver"),
        without(*SECRET_OF_A, "NobodyLeaves"),
        words=DENIES,
        ready=(filled,),
    ),
    Guard(
        "a bucket denies other tenants",
        read_object,
        without(*BUCKET_OF_A, "ObjectsForTheTenantOnly"),
        others=(WIDE_B, anybody(*KEY_OF_A, "TenantThroughServices")),
        words=DENIES,
        ready=(filled,),
    ),
    Guard(
        "a key serves its tenant alone, through S3 too",
        read_object,
        anybody(*KEY_OF_A, "TenantThroughServices"),
        others=(WIDE_B, without(*BUCKET_OF_A, "ObjectsForTheTenantOnly")),
        words=NO_RESOURCE,
        ready=(filled,),
    ),
    Guard("a role lists its own bucket", list_objects, WIDE_B, ready=(filled,)),
    Guard("a role reads its own catalog entry", read_catalog, WIDE_B),
    Guard(
        "a role publishes to its own topic",
        publish,
        WIDE_B,
        others=(anybody(*KEY_OF_A, "TenantThroughServices"),),
    ),
    Guard(
        "a key serves its tenant alone, through SNS too",
        publish,
        anybody(*KEY_OF_A, "TenantThroughServices"),
        others=(WIDE_B,),
        words=NO_RESOURCE,
    ),
    Guard(
        "a key is used by its tenant alone",
        use_key(B, A),
        anybody(*KEY_OF_A, "TenantSaysWhoItIs"),
        others=(WIDE_B,),
        words=NO_RESOURCE,
    ),
    Guard(
        "a row is sealed for whom it says",
        use_key(A, B),
        unconditional(*KEY_OF_A, "TenantSaysWhoItIs", "kms:EncryptionContext:tenant"),
        words=NO_RESOURCE,
    ),
    Guard(
        "a bucket takes what is under its own key",
        put(ServerSideEncryption="aws:kms", SSEKMSKeyId="of B"),
        without(*BUCKET_OF_A, "OwnKeyOnly"),
        others=(wide(f"tenant-{A}"), anybody(KEY, f"::{B}-identity-key", "policy", "TenantThroughServices")),
        words=DENIES,
    ),
    Guard(
        "a bucket takes nothing under S3's key",
        put(ServerSideEncryption="AES256"),
        without(*BUCKET_OF_A, "KmsOnly"),
        words=DENIES,
    ),
]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda g: g.name)
def test_each_guard_holds_alone_and_is_missed(live: Live, guard: Guard) -> None:
    for do in (*guard.ready, *guard.others):
        do(live)
    assert guard.words in refused(lambda: guard.attack(live)), "the guard alone refuses it, in AWS's words"
    guard.lift(live)
    assert refused(lambda: guard.attack(live)) == "", "and nothing else does"


ATTACKS: list[Do] = [
    read_secret,
    read_object,
    list_objects,
    read_catalog,
    publish,
    use_key(B, A),
    become(A, B),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_tenant_is_refused_everything_of_another(live: Live, attack: Do) -> None:
    filled(live)
    message = refused(lambda: attack(live))
    assert "is not authorized to perform" in message


def test_a_tenant_may_do_all_of_that_with_its_own(live: Live) -> None:
    """Else the refusals would show nothing."""
    filled(live)
    assert (
        live.tenant("secretsmanager", A).get_secret_value(SecretId=secret_of(live, A))["SecretString"]
        == "of A"
    )
    assert live.tenant("s3", A).get_object(Bucket=BUCKET, Key="report")["Body"].read() == b"of A"
    assert live.tenant("s3", A).list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    entry = live.tenant("ssm", A).get_parameter(Name=f"/tenantry/dev/tenants/{A}")
    assert json.loads(entry["Parameter"]["Value"])["tenant"] == A
    assert live.tenant("kms", A).describe_key(KeyId=key_of(live, A))["KeyMetadata"]["Enabled"]


ELSEWHERE = {
    "Administer": "gives no use of a key",
    "UseThroughServices": "leaves it to the identity's policy, as in `a role reads its own secrets`",
    "GrantToServices": "the sandbox has no grants",
    "BootstrapKeepsSecrets": "allows the function what `test_the_function_...` needs",
    "TlsOnly": "test_endpoint: without TLS",
    "ModernTls": "the endpoint offers nothing older",
}


def test_every_statement_about_a_tenants_things_is_tried(live: Live) -> None:
    """A new statement in one of these documents needs a guard above, or a word why not."""
    tried = {g.lift.sid for g in GUARDS if isinstance(g.lift, Lift)}
    written: set[str] = set()
    for kind, urn, key, _ in ((*TRUST,), (*KEY_OF_A, ""), (*SECRET_OF_A, ""), (*BUCKET_OF_A, "")):
        document = json.loads(live.row(kind, urn).inputs[key])
        written |= {s["Sid"] for s in document["Statement"]}
    assert written - tried - set(ELSEWHERE) == set()
    assert set(ELSEWHERE) <= written, "what is excused must exist"


# -- limits beyond a tenant's own policies


def test_the_boundary_limits_a_role_that_may_everything(live: Live) -> None:
    live.widen(f"tenant-{A}")
    elsewhere = lambda: live.tenant("ssm", A, "us-east-1").get_parameter(Name="/x")  # noqa: E731
    assert "with an explicit deny in a permissions boundary" in refused(elsewhere)
    no_boundary(f"tenant-{A}")(live)
    with pytest.raises(ClientError, match="ParameterNotFound"):
        elsewhere()


def test_a_session_policy_leaves_of_a_role_what_it_names(live: Live) -> None:
    """As the deliveries of webhooks become a tenant to read one secret and nothing else."""
    filled(live)
    only = {"Effect": "Allow", "Action": ["ssm:GetParameter"], "Resource": "*"}
    given = live.become(A, A, Policy=json.dumps({"Version": "2012-10-17", "Statement": only}))
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    message = refused(lambda: live.signed("s3", *keys).list_objects_v2(Bucket=BUCKET))
    assert "because no session policy allows the s3:ListBucket action" in message
    assert live.signed("ssm", *keys).get_parameter(Name=f"/tenantry/dev/tenants/{A}")


def test_the_way_out_of_the_network_is_a_guard_too(live: Live) -> None:
    """The endpoint's policy names the platform's buckets: others are not reached, whoever may."""
    way = _s3_endpoint(live)
    live.widen(f"tenant-{A}")
    no_boundary(f"tenant-{A}")(live)

    def foreign() -> Any:
        client = live.client("s3", f"tenant-{A}", vpc=way.inputs["vpcId"])
        return client.list_objects_v2(Bucket="theirs")

    assert "because no VPC endpoint policy allows the s3:ListBucket action" in refused(foreign)
    live.edit(way, "policy", lambda _: [{**ANYTHING, "Principal": "*"}])
    with pytest.raises(ClientError, match="NoSuchBucket"):
        foreign()


def _s3_endpoint(live: Live) -> Row:
    cell = [
        r
        for r in live.store.all("aws:ec2/vpcEndpoint:VpcEndpoint")
        if r.inputs["serviceName"].endswith(".s3") and "fjord" not in r.urn
    ]
    assert len(cell) == 1
    return cell[0]


def test_the_organization_limits_the_account(live: Live) -> None:
    list_own = lambda: live.tenant("s3", A).list_objects_v2(Bucket=BUCKET)  # noqa: E731
    assert refused(list_own) == ""
    no_s3 = json.dumps({"Statement": [{**ANYTHING, "Effect": "Deny", "Action": "s3:*"}]})
    rows = [
        Row(f"aws:organizations/{kind}", name, "urn", inputs, {})
        for kind, name, inputs in (
            ("organizationalUnit:OrganizationalUnit", "ou-1", {"parentId": "r-1"}),
            ("account:Account", ACCOUNT, {"parentId": "ou-1"}),
            ("policy:Policy", "p-1", {"content": no_s3}),
            ("policyAttachment:PolicyAttachment", "x", {"policyId": "p-1", "targetId": "ou-1"}),
        )
    ]
    management = Store(live.home / FILE, "999988887777", "us-east-1")
    with management.change():
        for row in rows:
            management.put(row)
    assert "with an explicit deny in a service control policy" in refused(list_own)
    with management.change():
        management.remove(rows[-1].type, rows[-1].id)
    assert refused(list_own) == ""


def test_the_function_reads_tenants_secrets_and_no_others(live: Live) -> None:
    """Of all secrets of the cell: tenants' own, and the masters of the databases that tenants are in."""
    function = live.client("secretsmanager", "bootstrap")
    allowed: dict[str, bool] = {}
    for row in live.store.all(SECRET):
        allowed[str(row.outputs["name"])] = refused(lambda row=row: _read(function, row.id)) == ""
    kinds = {name.rpartition("/")[2] for name, yes in allowed.items() if yes and "/tenants/" in name}
    assert kinds == {"database", "webhook"}
    assert [n for n, yes in allowed.items() if yes and "/tenants/" not in n] == []
    assert not all(allowed.values())
    masters: dict[str, bool] = {}
    for row in live.store.all("aws:rds/instance:Instance"):
        if row.inputs.get("manageMasterUserPassword"):
            kept = row.outputs["masterUserSecrets"][0]["secretArn"]
            masters[str(row.outputs["identifier"])] = refused(lambda kept=kept: _read(function, kept)) == ""
    assert {n for n, yes in masters.items() if yes} == {n for n in masters if "-shard-" in n or "-silo-" in n}
    assert not all(masters.values())


def _read(client: Any, arn: str) -> None:
    """What is empty yet was not refused."""
    with suppress(client.exceptions.ResourceNotFoundException):
        client.get_secret_value(SecretId=arn)
