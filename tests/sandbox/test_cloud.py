"""The life of resources in the local cloud, without an engine."""

import sqlite3
import threading
from pathlib import Path

import pytest

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.templates import UNKNOWN
from sandbox.cloud.store import NameTakenError, Store

KEY, ALIAS, BUCKET = "aws:kms/key:Key", "aws:kms/alias:Alias", "aws:s3/bucket:Bucket"
INSTANCE, ROLE, SUBNET = "aws:rds/instance:Instance", "aws:iam/role:Role", "aws:ec2/subnet:Subnet"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
CLOSED = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT, REGION = "111122223333", "eu-west-1"


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::tenantry::{token}::{name}"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(Store(":memory:", ACCOUNT, REGION), {"project": "tenantry"})


def test_what_aws_makes_is_made_and_kept(cloud: Cloud) -> None:
    key, outputs = cloud.create(KEY, urn(KEY, "k"), {"description": "d"})
    assert outputs["arn"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"
    assert outputs["keyUsage"] == "ENCRYPT_DECRYPT"
    updated = cloud.update(KEY, key, urn(KEY, "k"), {"description": "other"})
    assert (updated["arn"], updated["description"]) == (outputs["arn"], "other")
    row = cloud.read(KEY, key)
    assert row is not None
    assert row.outputs == updated


def test_what_aws_makes_late_is_unknown_in_a_preview(cloud: Cloud) -> None:
    seen = cloud.preview_create(KEY, {"description": "d"})
    assert (seen["arn"], seen["keyId"], seen["description"]) == (UNKNOWN, UNKNOWN, "d")
    assert cloud.store.all() == []


def test_every_problem_of_the_inputs_is_named_at_once(cloud: Cloud) -> None:
    given = {"rotationPeriodInDays": 5, "keyUsage": "NONSENSE", "colour": "blue"}
    _, found = cloud.check(KEY, "k", given, b"seed")
    assert [p for p, _ in found] == ["colour", "keyUsage", "rotationPeriodInDays"]
    assert "(90 - 2560), got 5" in found[2][1]


def test_unknown_values_are_not_judged(cloud: Cloud) -> None:
    _, found = cloud.check(KEY, "k", {"rotationPeriodInDays": UNKNOWN}, b"seed")
    assert found == []


def test_missing_inputs_are_named(cloud: Cloud) -> None:
    _, found = cloud.check(ALIAS, "a", {"name": "alias/x"}, b"seed")
    assert found == [("targetKeyId", "Missing required argument")]


def test_default_tags_are_on_what_can_carry_tags(cloud: Cloud) -> None:
    tagged, _ = cloud.check(KEY, "k", {"tags": {"tenant": "acme"}}, b"")
    assert tagged["tagsAll"] == {"project": "tenantry", "tenant": "acme"}
    assert "tagsAll" not in cloud.check(ALIAS, "a", {"name": "alias/x"}, b"")[0]


def test_a_name_exists_once_and_is_free_when_its_owner_is_gone(cloud: Cloud) -> None:
    given = {"name": "tenantry-role", "assumeRolePolicy": "{}"}
    role, _ = cloud.create(ROLE, urn(ROLE, "a"), given)
    with pytest.raises(CloudError, match="EntityAlreadyExists"):
        cloud.create(ROLE, urn(ROLE, "b"), given)
    cloud.delete(ROLE, role)
    assert cloud.create(ROLE, urn(ROLE, "b"), given)[0] == role


def test_buckets_share_one_name_space_over_all_accounts(tmp_path: Path) -> None:
    one, other = (Cloud(Store(tmp_path / "c", a, REGION), {}) for a in (ACCOUNT, "999999999999"))
    one.create(BUCKET, urn(BUCKET, "b"), {"bucket": "taken"})
    with pytest.raises(CloudError, match="BucketAlreadyExists"):
        other.create(BUCKET, urn(BUCKET, "b"), {"bucket": "taken"})


def test_a_reference_must_lead_somewhere(cloud: Cloud) -> None:
    given = {"name": "alias/x", "targetKeyId": "nowhere"}
    with pytest.raises(CloudError, match="NotFoundException: Key 'nowhere' does not exist"):
        cloud.create(ALIAS, urn(ALIAS, "a"), given)
    assert cloud.store.all() == []
    key, outputs = cloud.create(KEY, urn(KEY, "k"), {})
    for handle in (key, outputs["arn"]):
        made, _ = cloud.create(ALIAS, urn(ALIAS, "a"), {"name": "alias/x", "targetKeyId": handle})
        cloud.delete(ALIAS, made)


def test_what_must_be_made_anew_says_so(cloud: Cloud) -> None:
    old = {"identifier": "db", "kmsKeyId": "arn:a", "backupRetentionPeriod": 7}
    change = cloud.diff(INSTANCE, old, old, {**old, "kmsKeyId": "arn:b", "backupRetentionPeriod": 8}, [])
    assert change.replaces == {"kmsKeyId"}
    assert change.keys == {"kmsKeyId", "backupRetentionPeriod"}
    assert change.delete_first  # the name is taken until the old one is gone


def test_an_input_taken_away_is_a_change(cloud: Cloud) -> None:
    change = cloud.diff(ROLE, {"description": "d"}, {"description": "d"}, {}, [])
    assert (change.removed, change.replaces) == (frozenset({"description"}), frozenset())


def test_an_input_taken_away_that_aws_fills_in_stays_what_it_was(cloud: Cloud) -> None:
    """Optional and Computed, so that the provider does not notice."""
    key, state = cloud.create(KEY, urn(KEY, "k"), {"description": "d"})
    assert cloud.diff(KEY, {"description": "d"}, state, {}, []).keys == frozenset()
    assert cloud.update(KEY, key, urn(KEY, "k"), {})["description"] == "d"


def test_ignored_changes_are_ignored(cloud: Cloud) -> None:
    old = {"description": "d"}
    assert cloud.diff(ROLE, old, old, {}, ["description"]).keys == frozenset()


def test_a_name_that_nobody_gave_is_made_and_may_change_with_a_replacement(cloud: Cloud) -> None:
    first, _ = cloud.check(BUCKET, "b", {}, b"one")
    other, _ = cloud.check(BUCKET, "b", {}, b"two")
    assert first["bucket"].startswith("b-")
    assert first["bucket"] != other["bucket"]


def test_protected_and_unsaved_databases_stay(cloud: Cloud) -> None:
    given = {"identifier": "db", "instanceClass": "db.t4g.medium", "deletionProtection": True}
    made, _ = cloud.create(INSTANCE, urn(INSTANCE, "d"), given)
    with pytest.raises(CloudError, match="InvalidParameterCombination: Cannot delete protected DB Instance"):
        cloud.delete(INSTANCE, made)
    cloud.update(INSTANCE, made, urn(INSTANCE, "d"), {**given, "deletionProtection": False})
    with pytest.raises(CloudError, match="final_snapshot_identifier is required"):
        cloud.delete(INSTANCE, made)
    cloud.update(
        INSTANCE, made, urn(INSTANCE, "d"), {**given, "deletionProtection": False, "skipFinalSnapshot": True}
    )
    cloud.delete(INSTANCE, made)
    assert cloud.store.all() == []


def test_a_bucket_with_objects_stays_unless_it_may_be_emptied(cloud: Cloud) -> None:
    bucket, _ = cloud.create(BUCKET, urn(BUCKET, "b"), {"bucket": "b"})
    cloud.create(CLOSED, urn(CLOSED, "c"), {"bucket": "b"})  # for which the provider waits until S3 knows it
    cloud.create(OBJECT, urn(OBJECT, "o"), {"bucket": "b", "key": "k"})
    with pytest.raises(CloudError, match="BucketNotEmpty: The bucket you tried to delete is not empty"):
        cloud.delete(BUCKET, bucket)


def test_a_read_replica_takes_after_its_source(cloud: Cloud) -> None:
    _, key = cloud.create(KEY, urn(KEY, "k"), {})
    given = {
        "identifier": "db",
        "instanceClass": "db.t4g.medium",
        "engine": "postgres",
        "kmsKeyId": key["arn"],
    }
    given |= {"backupRetentionPeriod": 7}
    _, source = cloud.create(INSTANCE, urn(INSTANCE, "d"), given)
    for handle in ("db", source["arn"]):
        reader = {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": handle}
        made, outputs = cloud.create(INSTANCE, urn(INSTANCE, "r"), reader)
        assert (outputs["engine"], outputs["kmsKeyId"]) == ("postgres", key["arn"])
        cloud.delete(INSTANCE, made)


def test_a_failed_change_leaves_nothing(cloud: Cloud) -> None:
    given = {"vpcId": "vpc-missing", "cidrBlock": "10.0.0.0/24"}
    with pytest.raises(CloudError, match="does not exist"):
        cloud.create(SUBNET, urn(SUBNET, "s"), given)
    assert cloud.store.all() == []


def test_of_two_runs_that_want_one_name_one_gets_it(tmp_path: Path) -> None:
    results: list[str] = []

    def take(who: str) -> None:
        cloud = Cloud(Store(tmp_path / "c", ACCOUNT, REGION), {})
        for i in range(40):
            try:
                cloud.create(ROLE, urn(ROLE, who), {"name": f"role-{i}", "assumeRolePolicy": "{}"})
                results.append(f"role-{i}")
            except CloudError as wrong:
                assert "EntityAlreadyExists" in str(wrong)  # noqa: PT017 - the other thread was first

    threads = [threading.Thread(target=take, args=(w,)) for w in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(f"role-{i}" for i in range(40))
    db = sqlite3.connect(tmp_path / "c")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_claim_is_refused_while_it_is_held() -> None:
    store = Store(":memory:", ACCOUNT, REGION)
    store.claim_name("s", "t", "v", "one")
    with pytest.raises(NameTakenError, match="v"):
        store.claim_name("s", "t", "v", "two")
    store.release_names("t", "one")
    store.claim_name("s", "t", "v", "two")
    with pytest.raises(NameTakenError, match="v"):
        store.claim_name("s", "t", "v", "one")
