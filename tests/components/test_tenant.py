"""One tenant's resources are its own: whole, encrypted under its key, and silent about anybody else."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from devtools.mocks import Recording, Registered
from functions.tenant_bootstrap.request import parse
from tenants.models import Contacts, Tenant
from tenants.phases import Phase
from tests.components.parts import (
    ACME,
    BOLT,
    CASA,
    DUNE,
    make_tenants,
    of_tenant,
    record,
    secret_free,
    tenant_plan,
)
from tests.program.cell import deployed

ALL = (ACME, BOLT, CASA, DUNE)
TENANTS = [t.id for t in ALL]
HOMES = {"acme": "shard-a", "bolt": "shard-a", "casa": "silo-casa", "dune": "silo-dune"}


@cache
def made() -> Recording:
    return record(lambda: make_tenants(ALL))


def only(*tenants: Tenant, stack: str = "dev") -> Recording:
    return record(lambda: make_tenants(tenants, stack), stack)


def everything_said(value: Any) -> Iterator[str]:
    """Every string in inputs, the engine's own and those within JSON documents."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from everything_said(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from everything_said(inner)
    elif isinstance(value, str):
        yield value


def said_by(r: Registered) -> str:
    return "\n".join([r.type, r.name, r.parent, *r.dependencies, *everything_said(secret_free(r.inputs))])


def policy(recording: Recording, kind: str, name: str, field: str = "policy") -> dict[str, dict[str, Any]]:
    document = json.loads(recording.one(kind, name).inputs[field])
    return {s["Sid"]: s for s in document["Statement"]}


# ------------------------------------------------------------------ apart from the others


@pytest.mark.parametrize("tenant", TENANTS)
def test_nothing_of_a_tenant_depends_on_another_or_names_one(tenant: str) -> None:
    found = of_tenant(made(), tenant)
    assert len(found) > 20
    others = [t for t in TENANTS if t != tenant]
    assert [(r.name, o) for r in found for o in others if o in said_by(r)] == []


def test_what_is_shared_names_no_tenant() -> None:
    own = {r.key for t in TENANTS for r in of_tenant(made(), t)}
    shared = [r for r in made().resources if r.key not in own]
    assert len(shared) > 15
    assert [(r.name, t) for r in shared for t in TENANTS if t in said_by(r)] == []


@pytest.mark.parametrize("tenant", ALL, ids=TENANTS)
def test_a_tenant_is_the_same_whoever_else_is_there(tenant: Tenant) -> None:
    alone, among = ({r.key: r for r in of_tenant(found, tenant.id)} for found in (only(tenant), made()))
    assert alone == among


@pytest.mark.parametrize("tenant", TENANTS)
def test_everything_that_takes_tags_is_tagged_with_its_tenant(tenant: str) -> None:
    tagged = [r for r in of_tenant(made(), tenant) if "tags" in r.inputs]
    assert len(tagged) >= 6
    assert {r.inputs["tags"]["tenant"] for r in tagged} == {tenant}


def test_a_tag_of_a_tenants_own_cannot_make_it_another() -> None:
    recording = only(replace(ACME, tags={"tenant": "bolt", "team": "x"}))
    role = recording.one("iam/role:Role", "acme-identity-role").inputs
    assert role["tags"] == {"tenant": "acme", "team": "x"}


# ------------------------------------------------------------------ identity and key


def test_only_services_assume_the_role_and_only_for_this_tenant() -> None:
    (statement,) = policy(made(), "iam/role:Role", "acme-identity-role", "assumeRolePolicy").values()
    assert statement["Principal"] == {"AWS": ["arn:monolith-role", "arn:reports-role"]}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"] == {"aws:RequestTag/tenant": "acme"}
    document = made().one("iam/role:Role", "acme-identity-role").inputs["assumeRolePolicy"]
    assert len(document) <= 2048, "quota of a trust policy"


def test_role_then_key_then_policy() -> None:
    """Each may only name what exists, so there can be no circle."""
    key = made().one("kms/key:Key", "acme-identity-key")
    assert any("role:Role::acme-identity-role" in d for d in key.dependencies)
    role_policy = made().one("iam/rolePolicy:RolePolicy", "acme-policy")
    assert any("key:Key::acme-identity-key" in d for d in role_policy.dependencies)
    role = made().one("iam/role:Role", "acme-identity-role")
    assert not any("acme" in d for d in role.dependencies)


def test_protected_columns_are_told_to_the_functions_and_get_a_data_key() -> None:
    recording = only(replace(ACME, protected_columns=("cards.number",), key=2))
    event = json.loads(recording.one("lambda/invocation:Invocation", "acme-place-shard-a").inputs["input"])
    assert event["protected"]["columns"] == ["cards.number"]
    assert [arn.rpartition(":")[2] for arn in event["protected"]["keys"]] == [
        "acme-identity-key",
        "acme-identity2-key",
    ]
    for key in ("acme-identity-key", "acme-identity2-key"):
        made = policy(recording, "kms/key:Key", key)["BootstrapMakesDataKeys"]
        assert made["Action"] == ["kms:GenerateDataKeyWithoutPlaintext"]
        assert made["Condition"] == {"StringEquals": {"kms:EncryptionContext:tenant": "acme"}}


def test_without_protected_columns_nobody_makes_data_keys() -> None:
    recording = only(ACME)
    assert "BootstrapMakesDataKeys" not in policy(recording, "kms/key:Key", "acme-identity-key")
    assert not [
        r for r in recording.of("invocation:Invocation") if "protected" in json.loads(r.inputs["input"])
    ]


def test_the_key_turns_for_its_tenant_alone() -> None:
    recording = only(replace(ACME, key_rotation_days=180))
    key = recording.one("kms/key:Key", "acme-identity-key").inputs
    assert (key["enableKeyRotation"], key["rotationPeriodInDays"]) == (True, 180)
    found = policy(recording, "kms/key:Key", "acme-identity-key")
    named = {sid: s["Principal"]["AWS"] for sid, s in found.items()}
    role = "arn:aws:mock:eu-west-1:111122223333:acme-identity-role"
    assert named["TenantSaysWhoItIs"] == named["TenantThroughServices"] == [role]
    assert found["TenantSaysWhoItIs"]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:tenant": "acme"}
    }
    assert "kms:ViaService" in found["BootstrapKeepsSecrets"]["Condition"]["StringEquals"]
    assert "Use" not in found, "nobody uses the key without a condition"
    assert not [sid for sid, s in found.items() if sid != "Administer" and not s.get("Condition")]


@pytest.mark.parametrize(("tenant", "rds"), [("acme", False), ("casa", True)])
def test_rds_uses_the_key_of_a_silo_only(tenant: str, rds: bool) -> None:
    found = policy(made(), "kms/key:Key", f"{tenant}-identity-key")
    hosts = found["UseThroughServices"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert ("rds.eu-west-1.amazonaws.com" in hosts) is rds


@pytest.mark.parametrize("tenant", TENANTS)
def test_all_that_is_encrypted_for_a_tenant_is_under_its_key(tenant: str) -> None:
    key = f"arn:aws:mock:eu-west-1:111122223333:{tenant}-identity-key"
    found = {
        r.type: r.inputs.get("kmsKeyId") or r.inputs.get("kmsMasterKeyId")
        for r in of_tenant(made(), tenant)
        if r.type.endswith((":Secret", ":Topic"))
    }
    assert set(found.values()) == {key}
    encryption = (
        made()
        .one(
            "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            f"{tenant}-artefacts-encryption",
        )
        .inputs["rules"][0]["applyServerSideEncryptionByDefault"]
    )
    assert encryption == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}


def test_the_role_may_do_little_and_each_of_it_by_name() -> None:
    found = policy(made(), "iam/rolePolicy:RolePolicy", "casa-policy")
    assert {a for s in found.values() for a in s["Action"]} == {
        *("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
        *("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"),
        *("secretsmanager:GetSecretValue", "sns:Publish", "ssm:GetParameter"),
    }
    resources = [r for s in found.values() for r in s["Resource"]]
    assert all("casa" in r for r in resources), resources
    assert "*" not in resources


# ------------------------------------------------------------------ place in the database


def event(recording: Recording, tenant: str) -> dict[str, Any]:
    inputs = recording.one("lambda/invocation:Invocation", f"{tenant}-place-{HOMES[tenant]}").inputs
    return json.loads(inputs["input"])


def test_the_function_understands_what_it_is_sent() -> None:
    """As the resource sends it, with real ARNs in the place of the mocks'."""
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
    for tenant in TENANTS:
        sent = event(made(), tenant) | {
            "masterSecret": f"{secret}rds!db-0a1b",
            "tenantSecret": f"{secret}tenantry/dev/tenants/{tenant}/database-AbCdEf",
            "webhookSecret": f"{secret}tenantry/dev/tenants/{tenant}/webhook-AbCdEf",
            "lifecycle": {"action": "create"},
        }
        assert parse(sent).role == f"t_{tenant}"


def test_its_end_is_called_and_a_new_one_comes_after_the_old_ones_end() -> None:
    place = made().one("lambda/invocation:Invocation", "acme-place-shard-a")
    assert (place.inputs["lifecycleScope"], place.inputs["terraformKey"]) == ("CRUD", "lifecycle")
    assert place.delete_before_replace


def test_the_call_holds_no_secret() -> None:
    for tenant in TENANTS:
        place = made().one("lambda/invocation:Invocation", f"{tenant}-place-{HOMES[tenant]}")
        assert isinstance(place.inputs["input"], str), "a secret would be marked"
        assert "canary" not in place.inputs["input"]


def test_a_silos_tenant_lives_in_its_own_instance() -> None:
    assert "silo-casa" in event(made(), "casa")["host"]
    assert "shard-a" in event(made(), "acme")["host"]
    silo = made().one("rds/instance:Instance", "silo-casa-instance").inputs
    assert silo["tags"]["tenant"] == "casa"


def test_what_is_secret_is_in_no_plan() -> None:
    """The function writes it. What the program makes are empty secrets, under the tenant's key."""
    for secret in ("acme/database", "casa/database", "casa/webhook"):
        tenant, kind = secret.split("/")
        made_ = made().one("secretsmanager/secret:Secret", f"{tenant}-secrets-{kind}")
        assert made_.inputs["name"] == f"tenantry/dev/tenants/{secret}"
    written = {r.name for r in made().of("secretVersion:SecretVersion")}
    assert written == {f"{t}-api-secret-version" for t in TENANTS}
    assert not made().of("randomPassword:RandomPassword")


@pytest.mark.parametrize(
    ("rotation", "secret", "days"),
    [("acme-rotation", "acme-secrets-database", 30), ("casa-webhook-rotation", "casa-secrets-webhook", 90)],
)
def test_a_secret_turns_once_there_is_something_in_it(rotation: str, secret: str, days: int) -> None:
    found = made().one("secretRotation:SecretRotation", rotation)
    assert found.inputs["rotationRules"] == {"automaticallyAfterDays": days}
    assert found.inputs["secretId"].endswith(secret)
    assert found.inputs["rotationLambdaArn"].endswith("bootstrap-function")
    # Secrets Manager would start at once with a secret that the bootstrap function has only just written.
    assert found.inputs["rotateImmediately"] is False
    tenant = rotation.split("-", maxsplit=1)[0]
    for needed in (
        f"invocation:Invocation::{tenant}-place-{HOMES[tenant]}",
        "permission:Permission::bootstrap-rotation",
    ):
        assert any(d.endswith(needed) for d in found.dependencies), needed


def test_no_other_tenants_role_reads_the_secret_whatever_else_is_allowed() -> None:
    found = policy(made(), "secretsmanager/secret:Secret", "acme-secrets-database")
    assert found.keys() == {"NoOtherTenant", "NoMoveIsOn", "NobodyLeaves"}
    statement = found["NoOtherTenant"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/tenantry-dev-tenant-*"},
        "ArnNotEquals": {"aws:PrincipalArn": "arn:aws:mock:eu-west-1:111122223333:acme-identity-role"},
    }
    assert tenant_plan(BOLT).names.role.startswith("tenantry-dev-tenant-"), "or the refusal misses it"


def test_a_suspended_tenant_keeps_everything_and_is_let_in_nowhere() -> None:
    suspended, active = only(replace(ACME, state=Phase.SUSPENDED)), only(ACME)
    assert {r.key for r in suspended.resources} == {r.key for r in active.resources}
    assert event(suspended, "acme")["login"] is False
    assert suspended.one("apiKey:ApiKey", "acme-api-key").inputs["enabled"] is False
    assert (
        json.loads(suspended.one("ssm/parameter:Parameter", "acme-catalog").inputs["insecureValue"])["active"]
        is False
    )


# ------------------------------------------------------------------ the rest of it


def test_only_the_tenants_role_touches_its_artefacts() -> None:
    found = policy(made(), "bucketPolicy:BucketPolicy", "acme-artefacts-policy")
    deny = found["ObjectsForTheTenantOnly"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].endswith("acme-identity-role")
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= set(deny["Action"])


def test_only_the_tenants_role_speaks_on_its_topic_and_its_people_listen() -> None:
    found = policy(made(), "sns/topic:Topic", "acme-topic")
    assert found["PublishAsTheTenant"]["Principal"]["AWS"] == [
        "arn:aws:mock:eu-west-1:111122223333:acme-identity-role"
    ]
    email = made().one("topicSubscription:TopicSubscription", "acme-email")
    assert (email.inputs["protocol"], email.inputs["endpoint"]) == ("email", "ops@acme.example")
    waiting = [r.name for r in made().resources if any("TopicSubscription" in d for d in r.dependencies)]
    assert waiting == [], "it stays pending until somebody follows a link"


def test_an_api_key_of_its_own_in_the_plan_of_its_service() -> None:
    usage = made().one("usagePlanKey:UsagePlanKey", "acme-api-usage").inputs
    assert usage == {"keyId": "acme-api-key-id", "keyType": "API_KEY", "usagePlanId": "usage-basic"}


def test_a_webhook_has_a_key_to_sign_with_and_nobody_else_has_one() -> None:
    catalog = {
        t: json.loads(made().one("ssm/parameter:Parameter", f"{t}-catalog").inputs["insecureValue"])
        for t in TENANTS
    }
    assert catalog["acme"]["webhook"] is None
    assert catalog["casa"]["webhook"]["url"] == "https://hooks.casa.example/t"
    assert catalog["casa"]["webhook"]["secretArn"].endswith("casa-secrets-webhook")
    secrets = made().of("secretsmanager/secret:Secret")
    assert sorted(r.name for r in secrets if r.name.endswith("webhook")) == [
        "casa-secrets-webhook",
        "dune-secrets-webhook",
    ]


def test_the_catalog_says_where_everything_is_and_no_secret() -> None:
    parameter = made().one("ssm/parameter:Parameter", "acme-catalog").inputs
    entry = json.loads(parameter["insecureValue"])
    assert parameter["name"] == "/tenantry/dev/tenants/acme"
    assert len(parameter["insecureValue"]) < 4096, "the size of a standard parameter"
    assert "canary" not in parameter["insecureValue"]
    assert entry["database"]["schema"] == "t_acme"
    assert entry["bucket"] == "tenantry-dev-t-acme-111122223333"
    assert {"roleArn", "keyArn", "topicArn", "isolation", "servicePlan"} < entry.keys()


def test_a_budget_counts_what_the_tenants_tag_costs() -> None:
    budget = made().one("budgets/budget:Budget", "acme-budget").inputs
    assert budget["costFilters"] == [{"name": "TagKeyValue", "values": ["user:tenant$acme"]}]
    assert (budget["limitAmount"], budget["limitUnit"]) == ("250.0", "USD")
    assert {n["notificationType"] for n in budget["notifications"]} == {"ACTUAL", "FORECASTED"}


def test_prod_cannot_lose_what_a_tenant_stores_by_an_edit() -> None:
    recording = only(CASA, stack="prod")
    kept = {r.name for r in of_tenant(recording, "casa") if r.protect}
    assert kept >= {
        "casa-identity-key",
        "casa-artefacts-bucket",
        "casa-secrets-database",
        "silo-casa-instance",
    }
    assert not [r.name for r in of_tenant(made(), "casa") if r.protect], "dev is thrown away"


def test_a_change_of_contacts_changes_the_subscription_alone() -> None:
    after = only(replace(ACME, contacts=Contacts(email="new@acme.example")), BOLT, CASA, DUNE)
    old, new = ({r.key: r for t in TENANTS for r in of_tenant(found, t)} for found in (made(), after))
    assert [key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)] == ["acme-email"]


def test_a_place_waits_for_the_way_to_its_database_and_ends_before_it() -> None:
    """Or a dedicated tenant's function would call into a network that is not joined yet, or no more."""
    found = deployed("dev")
    places = [r for r in found.of("invocation:Invocation") if any("-peering-" in d for d in r.dependencies)]
    networks = {r.parent for r in found.of("vpcPeeringConnection:VpcPeeringConnection")}
    assert len(places) == len(networks) > 0
    for place in places:
        ways = [d for d in place.dependencies if "-peering-" in d]
        assert {d.rsplit("$", 1)[1].split("::")[0] for d in ways} >= {
            "aws:ec2/route:Route",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        }
