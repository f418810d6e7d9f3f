"""AWS's APIs of the sandbox as boto3 sees them: what they do, and how they say no."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.endpoint.server import Server
from tests.sandbox.live import ACCOUNT, REGION, Live, refused

A = "amber-pay"
BUCKET = f"tenantry-dev-t-{A}-{ACCOUNT}"


def key_of(live: Live, tenant: str) -> str:
    return str(live.row("aws:kms/key:Key", f"{tenant}-identity-key").outputs["arn"])


def secret_of(live: Live, tenant: str, kind: str = "database") -> str:
    return live.row("aws:secretsmanager/secret:Secret", f"{tenant}-tenant-secrets-{kind}").id


def test_who_calls_is_who_signed(live: Live) -> None:
    found = live.tenant("sts", A).get_caller_identity()
    assert found["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/tenantry-dev-tenant-{A}/test"
    assert found["Account"] == ACCOUNT


def test_objects_come_back_and_lie_encrypted(live: Live) -> None:
    s3 = live.tenant("s3", A)
    put = s3.put_object(Bucket=BUCKET, Key="reports/ü 1.csv", Body=b"of amber" * 1000)
    assert put["SSEKMSKeyId"] == key_of(live, A)
    got = s3.get_object(Bucket=BUCKET, Key="reports/ü 1.csv")
    assert got["Body"].read() == b"of amber" * 1000
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/")["Contents"]] == [
        "reports/ü 1.csv"
    ]
    assert b"of amber" not in live.vault.rows("SELECT body FROM objects")[0][0]
    s3.delete_object(Bucket=BUCKET, Key="reports/ü 1.csv")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key="reports/ü 1.csv")


def test_a_key_opens_only_in_the_context_that_it_was_used_in(live: Live) -> None:
    kms, key, mine = live.tenant("kms", A), key_of(live, A), {"tenant": A}
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=mine)
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=mine)
    assert (opened["Plaintext"], len(made["Plaintext"])) == (made["Plaintext"], 32)
    with pytest.raises(ClientError, match="InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={**mine, "more": "x"})


def test_secrets_turn_as_secrets_manager_turns_them(live: Live) -> None:
    arn, function = secret_of(live, A), live.client("secretsmanager", "bootstrap")
    with pytest.raises(ClientError, match="can't find the specified secret value"):
        function.get_secret_value(SecretId=arn)
    first = function.put_secret_value(SecretId=arn, SecretString="one")["VersionId"]
    function.put_secret_value(
        SecretId=arn, SecretString="two", ClientRequestToken="t" * 32, VersionStages=["AWSPENDING"]
    )
    assert live.tenant("secretsmanager", A).get_secret_value(SecretId=arn)["SecretString"] == "one"
    function.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId="t" * 32, RemoveFromVersionId=first
    )
    stages = function.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert stages == {first: ["AWSPREVIOUS"], "t" * 32: ["AWSCURRENT", "AWSPENDING"]}
    assert function.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    assert b"two" not in live.vault.rows("SELECT value FROM versions WHERE version = ?", "t" * 32)[0][0]
    with pytest.raises(ClientError, match="ResourceExistsException"):
        function.put_secret_value(SecretId=arn, SecretString="three", ClientRequestToken="t" * 32)


def test_the_catalog_names_each_tenant_once(live: Live) -> None:
    ssm = live.client("ssm", "monolith-task")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/tenantry/dev/tenants", PaginationConfig={"PageSize": 2}
    )
    found = [json.loads(p["Value"])["tenant"] for page in pages for p in page["Parameters"]]
    assert found == [
        "amber-pay",
        "birch-lending",
        "ember-cards",
    ]
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="/tenantry/dev/tenants/nobody")


def test_a_job_is_seen_once_until_it_is_done(live: Live) -> None:
    url = live.row("aws:sqs/queue:Queue", "::reports-jobs-queue").id
    sqs = live.client("sqs", "reports-task")
    sent = sqs.send_message(QueueUrl=url, MessageBody='{"report": 1}')
    got = sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"]
    assert [(m["MessageId"], m["Body"]) for m in got] == [(sent["MessageId"], '{"report": 1}')]
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_tenant_hears_of_its_report(live: Live) -> None:
    topic = live.row("aws:sns/topic:Topic", f"{A}-tenant-topic").id
    assert live.tenant("sns", A).publish(TopicArn=topic, Message="ready")["MessageId"]
    assert b"ready" not in live.vault.rows("SELECT body FROM messages WHERE queue = ?", topic)[0][0]


# -- who is not believed


def test_a_signature_of_another_secret_is_not_believed(live: Live) -> None:
    given = live.become(A, A)
    forged = live.signed("sts", given["AccessKeyId"], "x" * 40, given["SessionToken"])
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        forged.get_caller_identity()
    stolen = live.signed("sts", given["AccessKeyId"], given["SecretAccessKey"], "another token")
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        stolen.get_caller_identity()


def test_a_body_that_was_changed_on_the_way_is_not_believed(live: Live) -> None:
    client = live.tenant("secretsmanager", A)

    def change(request: Any, **_: Any) -> None:
        request.body = request.body.replace(b"amber", b"birch")

    client.meta.events.register("before-send.secretsmanager.GetSecretValue", change)
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client.get_secret_value(SecretId=secret_of(live, A))


def test_credentials_end(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    client = live.tenant("sts", A)
    client.get_caller_identity()
    live.vault.db.execute("""UPDATE sessions SET content = json_set(content, '$.credentials.ends', 1)""")
    with pytest.raises(ClientError, match="ExpiredToken"):
        client.get_caller_identity()


def test_a_key_that_is_off_opens_nothing(live: Live) -> None:
    kms, row = live.tenant("kms", A), live.row("aws:kms/key:Key", f"{A}-identity-key")
    made = kms.encrypt(KeyId=row.id, Plaintext=b"x", EncryptionContext={"tenant": A})
    live.store.update_outputs(row.type, row.id, {**row.outputs, "isEnabled": False})
    with pytest.raises(ClientError, match="DisabledException"):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"tenant": A})


def test_without_tls_buckets_and_topics_say_no(live: Live) -> None:
    plain = Server(live.server.endpoint, None)
    try:
        live.server = plain
        message = refused(lambda: live.tenant("s3", A).list_objects_v2(Bucket=BUCKET))
        assert "with an explicit deny in a resource-based policy" in message
        topic = live.row("aws:sns/topic:Topic", f"{A}-tenant-topic").id
        assert "explicit deny" in refused(lambda: live.tenant("sns", A).publish(TopicArn=topic, Message="x"))
    finally:
        plain.close()


def test_the_endpoint_shows_a_certificate_of_the_sandbox(live: Live, tmp_path: Any) -> None:
    client = live.tenant("sts", A)
    other = CertificateAuthority(tmp_path / "other")
    client._endpoint.http_session._verify = str(other.root)
    with pytest.raises(Exception, match="certificate verify failed"):
        client.get_caller_identity()


def test_what_is_not_known_is_said(live: Live) -> None:
    with pytest.raises(ClientError, match="the sandbox's kms does not know ListKeys"):
        live.client("kms", "monolith-task").list_keys()
    with pytest.raises(ClientError, match="the sandbox does not answer for dynamodb"):
        live.client("dynamodb", "monolith-task", REGION).list_tables()
