"""A tenant's way into the API: a key and a client of its own, known by id, handed over as one secret."""

import json

import pytest

from tests.components.parts import ACME, make_tenants, record, secret_free
from tests.components.test_tenant import TENANTS, made, policy

each = pytest.mark.parametrize("tenant", TENANTS)


@each
def test_a_client_gets_tokens_for_itself_and_for_nothing_else(tenant: str) -> None:
    client = made().one("userPoolClient:UserPoolClient", f"{tenant}-api-client").inputs
    assert client["allowedOauthFlows"] == ["client_credentials"]
    assert client["explicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]  # nobody signs in with a password
    assert client["allowedOauthScopes"] == ["reports/read", "reports/write"]
    assert client["generateSecret"] is True
    assert (client["accessTokenValidity"], client["tokenValidityUnits"]) == (60, {"accessToken": "minutes"})
    assert client["enableTokenRevocation"] is True


@each
def test_the_catalog_knows_the_ids_of_key_and_client(tenant: str) -> None:
    entry = json.loads(made().one("ssm/parameter:Parameter", f"{tenant}-catalog").inputs["insecureValue"])
    assert entry["api"] == {"keyId": f"{tenant}-api-key-id", "clientId": f"{tenant}-api-client-id"}


@each
def test_what_the_tenant_is_handed_is_whole_secret_and_under_its_own_key(tenant: str) -> None:
    version = made().one("secretVersion:SecretVersion", f"{tenant}-api-secret-version").inputs
    assert isinstance(version["secretString"], dict), "the engine keeps it secret"
    handed = json.loads(secret_free(version["secretString"]))
    assert set(handed) == {"api_key", "client_id", "client_secret", "token_url", "url"}
    assert handed["client_secret"] == f"canary-client-secret-{tenant}-api-client"
    secret = made().one("secretsmanager/secret:Secret", f"{tenant}-api-secret").inputs
    assert f"{tenant}-identity" in secret["kmsKeyId"]
    assert secret["tags"]["tenant"] == tenant


@each
def test_no_role_of_the_platform_reads_it(tenant: str) -> None:
    denied = policy(made(), "secretPolicy:SecretPolicy", f"{tenant}-api-secret-policy")["NoServiceReads"]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/tenantry-dev-*"}
    }
    allowed = policy(made(), "rolePolicy:RolePolicy", f"{tenant}-policy")
    assert not [arn for s in allowed.values() for arn in s["Resource"] if arn.endswith("api-secret-id")]


def test_where_another_issuer_makes_clients_a_tenant_gets_a_key_alone() -> None:
    recording = record(lambda: make_tenants([ACME], clients=None))
    assert not recording.of("userPoolClient:UserPoolClient")
    entry = json.loads(recording.one("ssm/parameter:Parameter", "acme-catalog").inputs["insecureValue"])
    assert entry["api"] == {"keyId": "acme-api-key-id", "clientId": None}
    version = recording.one("secretVersion:SecretVersion", "acme-api-secret-version").inputs
    assert set(json.loads(secret_free(version["secretString"]))) == {"api_key", "url"}
