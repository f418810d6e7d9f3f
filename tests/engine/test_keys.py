"""A tenant gets a new key on the real engine, and what it had before can be read as before."""

import json
import sys
from typing import Any

import pytest

from tests.engine.live import OTHER, SILOED, Live

BUCKET = "tenantry-dev-t-{tenant}-111122223333"
PUT = "s3.put_object(Bucket=bucket, Key=name, Body=name.encode())"
LOOK = (
    "found = s3.get_object(Bucket=bucket, Key=name);"
    " print(json.dumps([found['Body'].read().decode(), found['SSEKMSKeyId']]))"
)
COUNT = 20


def artefacts(live: Live, tenant: str, what: str) -> list[Any]:
    """What a service does with each artefact as the tenant; what it prints."""
    script = (
        f"import boto3, json\ns3, bucket = boto3.client('s3'), {BUCKET.format(tenant=tenant)!r}\n"
        f"for name in [f'r{{n}}' for n in range({COUNT})]:\n    {what}\n"
    )
    done = live.sandbox_command("as", tenant, "--", sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def keys(live: Live, tenant: str) -> dict[str, str]:
    """Resource → ARN of each key of a tenant."""
    rows = live.cloud().all("aws:kms/key:Key")
    return {r.urn.rsplit("::", 1)[1]: str(r.outputs["arn"]) for r in rows if f"{tenant}-identity" in r.urn}


# What a service does with a field: prints the message, and the KMS keys that its data keys are under.
FIELD = """
import base64, boto3, json, sys
from field_encryption import DataKeys, FieldCipher, current_data_key
secret = json.loads(
    boto3.client("secretsmanager").get_secret_value(SecretId="tenantry/dev/tenants/{tenant}/database")["SecretString"]
)
cipher = FieldCipher(DataKeys("{tenant}", "111122223333", boto3.client("kms")), current_data_key(secret))
{what}
"""
WRITE = """
message = base64.b64encode(cipher.encrypt(b"4111111111111111")).decode()
print(json.dumps([message, [kept["key"] for kept in secret["datakeys"]]]))
"""
READ = 'print(json.dumps(cipher.decrypt(base64.b64decode("{message}")).decode()))'


def field(live: Live, tenant: str, what: str) -> Any:
    script = FIELD.format(tenant=tenant, what=what)
    done = live.sandbox_command("as", tenant, "--", sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def protect(live: Live, tenant: str, column: str) -> None:
    """As a person edits the registry and deploys."""
    text = live.registry.read_text(encoding="utf-8")
    entry = f"\n{tenant}:\n"
    assert entry in text
    edited = text.replace(entry, f"{entry}  protected_columns: [{column}]\n")
    live.registry.write_text(edited, encoding="utf-8")
    run = live.up()
    assert run.status == 0, run.output
    assert [s.name for s in run.changes if tenant not in s.name] == []


@pytest.mark.slow
def test_artefacts_and_secrets_come_under_the_new_key_and_the_rest_stays_readable(live: Live) -> None:
    for tenant in (SILOED, OTHER):
        artefacts(live, tenant, PUT)
        live.psql(tenant, "CREATE TABLE kept AS SELECT 'before' AS said")
    old = keys(live, SILOED)
    protect(live, SILOED, "cards.number")
    message, under = field(live, SILOED, WRITE)
    assert under == list(old.values())
    others = artefacts(live, OTHER, LOOK)
    run = live.step("rotate-key", SILOED)
    assert run.status == 0, run.output
    assert [s.name for s in run.changes if SILOED not in s.name] == []
    assert run.counts.keys() == {"create", "update"}
    new = keys(live, SILOED)
    assert {name: new[name] for name in old} == old
    arn = new[f"{SILOED}-identity2-key"]
    assert artefacts(live, SILOED, LOOK) == [[f"r{n}", arn] for n in range(COUNT)]
    assert artefacts(live, OTHER, LOOK) == others
    assert field(live, SILOED, READ.format(message=message)) == "4111111111111111"
    assert field(live, SILOED, WRITE)[1] == [*under, arn]
    for tenant in (SILOED, OTHER):
        assert "before" in live.psql(tenant, "SELECT said FROM kept")
    answer = live.outputs()["keys"]
    assert answer.keys() == {SILOED}
    done = answer[SILOED]["artefacts"]
    assert (done["copied"], done["there"], done["earlierVersions"], done["left"]) == (COUNT, 0, COUNT, [])
    assert any("its database" in x["what"] for x in answer[SILOED]["left"])
    assert "under key 1  its database" in live.tenants_command("rotate-key", SILOED, "--status")
    again = live.preview()
    assert again.changes == (), again.output
