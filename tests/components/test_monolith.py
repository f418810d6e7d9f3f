"""The monolith: who may call it, for what, and what its code may do."""

from dataclasses import replace

import pytest

from devtools.mocks import run
from plan.services.services import TLS_1_3_ONLY
from tests.components.edge_parts import (
    BOUNDARY,
    KEY,
    Parts,
    cell,
    container,
    environment,
    services,
    statements,
)


def test_callers_without_a_certificate_of_the_private_ca_are_refused() -> None:
    recording = services("dev")
    trust = recording.one("lb/trustStore:TrustStore", "monolith-trust")
    listener = recording.one("lb/listener:Listener", "monolith-service-front-listener").inputs
    assert listener["mutualAuthentication"] == {
        "mode": "verify",
        "trustStoreArn": f"arn:aws:mock:eu-west-1:111122223333:{trust.name}",
        "ignoreClientCertificateExpiry": False,
        "advertiseTrustStoreCaNames": "off",
    }
    assert listener["sslPolicy"] == TLS_1_3_ONLY
    assert "monolith-server" in listener["certificateArn"]


def test_the_trust_store_reads_one_version_of_the_bundle() -> None:
    trust = services("dev").one("lb/trustStore:TrustStore", "monolith-trust").inputs
    assert trust["caCertificatesBundleS3ObjectVersion"].startswith("v-")
    assert trust["caCertificatesBundleS3Key"]
    assert len(trust["name"]) <= 32


def test_revoked_certificates_are_refused_whichever_root_issued_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "components.services.private_ca.revocation_list", lambda *_: "a list"
    )  # mocks have no keys
    plan = cell()
    revoking = replace(plan, ca=replace(plan.ca, revoked=("1f0c",)))
    recording = run(lambda: Parts(revoking).monolith())
    lists = [r.inputs for r in recording.of("trustStoreRevocation:TrustStoreRevocation")]
    assert len(lists) == len(plan.ca.roots)
    for made in lists:
        assert made["trustStoreArn"].endswith(":monolith-trust")
        assert made["revocationsS3Key"].startswith("revocations-")
        assert made["revocationsS3ObjectVersion"].startswith("v-")
    assert not services("dev").of("trustStoreRevocation:TrustStoreRevocation"), "nothing is revoked"


def test_reports_may_ask_for_one_thing() -> None:
    rules = [r for r in services("dev").of("listenerRule:ListenerRule") if r.name.startswith("monolith")]
    assert len(rules) == 1
    conditions = {k: v["values"] for c in rules[0].inputs["conditions"] for k, v in c.items()}
    assert conditions == {
        "httpRequestMethod": ["GET"],
        "pathPattern": ["/api/data/reports", "/api/data/reports/*"],
    }


def test_it_has_a_name_inside_the_cell_only() -> None:
    recording = services("dev")
    record = recording.one("route53/record:Record", "monolith-name").inputs
    zone = recording.one("route53/zone:Zone", "internal-zone").inputs
    assert record["name"] == "monolith.dev.tenantry.internal" == cell().monolith.host
    assert record["name"].endswith(f".{zone['name']}")
    assert zone["vpcs"] == [{"vpcId": "network-vpc-id"}]  # a zone without a VPC would be public
    assert record["aliases"][0]["name"] == "monolith-service-front-balancer.mock"


def test_its_code_reads_the_catalog_and_becomes_tenants_by_name() -> None:
    recording = services("dev")
    found = statements(recording.one("rolePolicy:RolePolicy", "monolith-service-task-policy"))
    assert set(found) == {"ReadCatalog", "BecomeTenant", "ReadSecrets", "DecryptSecrets"}
    assert found["ReadCatalog"]["Resource"] == [
        "arn:aws:ssm:eu-west-1:111122223333:parameter/tenantry/dev/tenants",
        "arn:aws:ssm:eu-west-1:111122223333:parameter/tenantry/dev/tenants/*",
    ]
    tenant = found["BecomeTenant"]
    assert tenant["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert tenant["Resource"] == ["arn:aws:iam::111122223333:role/tenantry-dev-tenant-*"]
    assert tenant["Condition"]["Null"] == {"aws:RequestTag/tenant": "false"}  # the tag must be there
    assert found["DecryptSecrets"]["Resource"] == [KEY]


def test_its_code_can_read_its_own_database_secret_and_no_other() -> None:
    recording = services("dev")
    found = statements(recording.one("rolePolicy:RolePolicy", "monolith-service-task-policy"))
    own = environment(recording, "monolith")["DATABASE_SECRET_ARN"]
    assert "monolith" in own
    assert found["ReadSecrets"]["Resource"] == [own]


def test_its_task_knows_its_database_and_its_certificate() -> None:
    recording = services("dev")
    found = environment(recording, "monolith")
    assert found["DATABASE_HOST"].startswith("monolith-database-instance")
    assert found["CATALOG_PATH"] == "/tenantry/dev/tenants"
    secrets = {s["name"]: s["valueFrom"] for s in container(recording, "monolith")["secrets"]}
    assert set(secrets) == {"TLS_SERVER", "DATABASE_CREDENTIALS"}
    assert "monolith-server" in secrets["TLS_SERVER"]


def test_a_renewed_certificate_is_a_new_deployment_and_a_rotated_password_is_not() -> None:
    secrets = {s["name"]: s["valueFrom"] for s in container(services("dev"), "monolith")["secrets"]}
    arn, version = secrets["TLS_SERVER"].split(":::")
    assert arn
    assert version.startswith("version-of-ca-monolith-server")
    assert ":::" not in secrets["DATABASE_CREDENTIALS"]


def test_the_role_that_was_made_first_is_the_one_it_runs_under() -> None:
    recording = services("dev")
    task = recording.one("taskDefinition:TaskDefinition", "monolith-service-task-definition").inputs
    assert task["taskRoleArn"].endswith(":monolith-task-role")
    assert recording.one("iam/role:Role", "monolith-task-role").inputs["permissionsBoundary"] == BOUNDARY
    policy = recording.one("rolePolicy:RolePolicy", "monolith-service-task-policy").inputs
    assert policy["role"] == "monolith-task-role-id"
