"""Buckets: private, versioned, encrypted under their own key, and not written to before all that holds."""

import json
from typing import Any

import pytest
from pulumi_aws import s3

from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.iam_policy import Statement
from devtools.mocks import Recording, run

KEY = "arn:aws:kms:eu-west-1:111122223333:key/artefacts"
ARN = "arn:aws:s3:::tenantry-dev-x"


def args(**changes: Any) -> SecureBucketArgs:
    given: dict[str, Any] = {
        "bucket": "tenantry-dev-x",
        "key_arn": KEY,
        "access_logs_bucket": "access-logs",
        "protect": True,
    }
    return SecureBucketArgs(**given | changes)


def made(**changes: Any) -> Recording:
    return run(lambda: SecureBucket("x", args(**changes)))


def statements(**changes: Any) -> dict[str, dict[str, Any]]:
    policy = made(**changes).one("s3/bucketPolicy:BucketPolicy", "x-policy").inputs["policy"]
    return {s["Sid"]: s for s in json.loads(policy)["Statement"]}


def one(found: Recording, kind: str) -> dict[str, Any]:
    (only,) = found.of(f":{kind}")
    return dict(only.inputs)


def test_a_bucket_is_private_versioned_and_without_acls() -> None:
    found = made()
    access = one(found, "BucketPublicAccessBlock")
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [access[f] for f in flags] == [True] * 4
    assert one(found, "BucketOwnershipControls")["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    assert one(found, "BucketVersioning")["versioningConfiguration"] == {"status": "Enabled"}
    assert one(found, "BucketLogging")["targetBucket"] == "access-logs"
    assert one(found, "BucketLogging")["targetPrefix"] == "s3/tenantry-dev-x/"


def test_a_bucket_is_encrypted_under_its_key() -> None:
    (rule,) = one(made(), "BucketServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert rule["bucketKeyEnabled"] is True


def test_a_bucket_whose_writers_know_no_key_is_encrypted_by_s3() -> None:
    (rule,) = one(made(key_arn=None), "BucketServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    assert set(statements(key_arn=None)) == {"TlsOnly", "ModernTls"}


def test_nobody_comes_in_without_modern_tls() -> None:
    found = statements()
    for sid, condition in (
        ("TlsOnly", {"Bool": {"aws:SecureTransport": "false"}}),
        ("ModernTls", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ):
        assert found[sid]["Effect"] == "Deny"
        assert found[sid]["Principal"] == "*"
        assert found[sid]["Resource"] == [ARN, f"{ARN}/*"]
        assert found[sid]["Condition"] == condition


def test_an_upload_that_chooses_another_key_is_refused_and_one_that_chooses_none_is_not() -> None:
    """A negated test alone also holds where the header is missing: the `Null` test is what tells."""
    found = statements()
    header = "s3:x-amz-server-side-encryption"
    expected = {
        "KmsOnly": ("StringNotEquals", header, "aws:kms"),
        "OwnKeyOnly": ("ArnNotEquals", f"{header}-aws-kms-key-id", KEY),
    }
    for sid, (test, key, value) in expected.items():
        assert found[sid]["Effect"] == "Deny"
        assert found[sid]["Condition"] == {test: {key: value}, "Null": {key: "false"}}


def test_a_bucket_may_take_objects_under_other_keys_where_it_says_so() -> None:
    assert set(statements(own_key_only=False)) == {"TlsOnly", "ModernTls"}


def test_further_statements_stand_beside_the_refusals() -> None:
    own = Statement(
        sid="Own", actions=["s3:PutObject"], resources=[f"{ARN}/x"], principals={"AWS": ["arn:role"]}
    )
    assert statements(statements=[own])["Own"]["Resource"] == [f"{ARN}/x"]


@pytest.mark.parametrize("protect", [True, False])
def test_a_bucket_is_protected_or_can_be_emptied_never_both(protect: bool) -> None:
    bucket = made(protect=protect).one("s3/bucket:Bucket", "x-bucket")
    assert bucket.protect is protect
    assert bucket.inputs["forceDestroy"] is not protect


def test_what_nobody_needs_any_more_goes() -> None:
    (rule,) = one(made(expire_days=30, noncurrent_days=7), "BucketLifecycleConfiguration")["rules"]
    assert rule["expiration"] == {"days": 30}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    (kept,) = one(made(), "BucketLifecycleConfiguration")["rules"]
    assert kept["expiration"] == {"expiredObjectDeleteMarker": True}, "objects stay, empty markers go"


def test_a_locked_bucket_keeps_versions_against_everybody() -> None:
    found = made(lock_days=400, expire_days=400)
    lock = one(found, "BucketObjectLockConfiguration")
    assert lock["objectLockEnabled"] == "Enabled"
    assert lock["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 400}}
    assert made().of("BucketObjectLockConfiguration") == []


def test_locking_a_bucket_that_exists_does_not_replace_it() -> None:
    open_one, locked = (found.one("s3/bucket:Bucket", "x-bucket") for found in (made(), made(lock_days=400)))
    assert open_one.inputs == locked.inputs


def test_a_lock_outlives_no_object() -> None:
    with pytest.raises(ValueError, match=r"expire_days: expected at least lock_days \(400\), got 399"):
        args(lock_days=400, expire_days=399)


@pytest.mark.parametrize("name", ["UPPER", "ab", "x" * 64, "dots.in.it", "-start"])
def test_a_name_that_s3_refuses_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"SecureBucketArgs.bucket: expected 3 to 63"):
        args(bucket=name)


def test_nobody_writes_before_the_bucket_is_closed_and_encrypted() -> None:
    def program() -> None:
        s3.BucketObject("probe", bucket=SecureBucket("x", args()).name, key="k")

    (probe,) = run(program).of("s3/bucketObject:BucketObject")
    waited = {urn.rsplit("::", 1)[1] for urn in probe.dependencies}
    assert {"x-policy", "x-encryption", "x-versioning"} <= waited


def test_who_may_come_near_is_settled_one_after_the_other() -> None:
    """S3 answers two such calls about one bucket at once with a conflict."""
    found = made()
    policy = found.one("s3/bucketPolicy:BucketPolicy", "x-policy")
    ownership = found.one("s3/bucketOwnershipControls:BucketOwnershipControls", "x-ownership")
    assert any(d.endswith("::x-ownership") for d in policy.dependencies)
    assert any(d.endswith("::x-public-access") for d in ownership.dependencies)
