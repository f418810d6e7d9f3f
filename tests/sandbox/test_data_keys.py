"""Data keys as the bootstrap function makes and services use them, by the policies of a deployed cell."""

import json

import pytest
from botocore.exceptions import ClientError

from field_encryption import DataKeys, FieldCipher, KeyUnavailableError, WrappedKey
from tests.sandbox.live import ACCOUNT, Live, Statements
from tests.sandbox.test_endpoint import A, key_of

B = "bolt-fx"
CONTEXT = {"tenant": A}


def allowed(live: Live) -> None:
    """As the program writes the key's policy for a tenant with protected columns."""
    role = str(live.role("bootstrap").outputs["arn"])
    statement = {
        "Sid": "BootstrapMakesDataKeys",
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKeyWithoutPlaintext"],
        "Resource": ["*"],
        "Principal": {"AWS": [role]},
        "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": A}},
    }

    def added(statements: Statements) -> Statements:
        return [*statements, statement]

    live.edit(live.row("aws:kms/key:Key", f"{A}-identity-key"), "policy", added)


def made(live: Live) -> WrappedKey:
    key = key_of(live, A)
    found = live.client("kms", "bootstrap").generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT
    )
    assert "Plaintext" not in found
    return WrappedKey(key, found["CiphertextBlob"])


def test_the_bootstrap_function_makes_data_keys_and_cannot_open_them(live: Live) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        made(live)  # no column of the tenant is protected
    allowed(live)
    wrapped = made(live)
    kms = live.client("kms", "bootstrap")
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.decrypt(CiphertextBlob=wrapped.wrapped, EncryptionContext=CONTEXT)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key_without_plaintext(
            KeyId=wrapped.key, KeySpec="AES_256", EncryptionContext={"tenant": B}
        )


def test_a_service_reads_fields_as_their_tenant_alone(live: Live) -> None:
    allowed(live)
    wrapped = made(live)
    as_tenant = FieldCipher(DataKeys(A, ACCOUNT, live.tenant("kms", A)), wrapped)
    message = as_tenant.encrypt(b"4111111111111111")
    assert as_tenant.decrypt(message) == b"4111111111111111"
    others = [t for t in tenants(live) if t != A]
    as_other = FieldCipher(DataKeys(A, ACCOUNT, live.tenant("kms", others[0])))
    with pytest.raises(KeyUnavailableError, match="AccessDenied"):
        as_other.decrypt(message)


def test_fields_end_with_the_key(live: Live) -> None:
    allowed(live)
    wrapped = made(live)
    message = FieldCipher(DataKeys(A, ACCOUNT, live.tenant("kms", A)), wrapped).encrypt(b"4111")
    live.administrator("kms").schedule_key_deletion(KeyId=wrapped.key, PendingWindowInDays=7)
    with pytest.raises(KeyUnavailableError, match="KMSInvalidStateException"):
        FieldCipher(DataKeys(A, ACCOUNT, live.tenant("kms", A))).decrypt(message)


def tenants(live: Live) -> list[str]:
    rows = live.store.all("aws:ssm/parameter:Parameter")
    entries = [json.loads(r.inputs["insecureValue"]) for r in rows if "/tenants/" in r.inputs["name"]]
    return [entry["tenant"] for entry in entries]
