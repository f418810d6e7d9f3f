"""Artefacts encrypted anew: each once, nothing lost that is written meanwhile, gone on with after any end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.common.events import RequestError
from functions.tenant_rekey.aws import S3
from functions.tenant_rekey.handler import carry_out
from functions.tenant_rekey.rekey import LARGEST, TRIES
from functions.tenant_rekey.tools import Found, RekeyError, Tools

REGION, BUCKET = "eu-west-1", "tenantry-dev-t-acme-111122223333"
OLD, NEW = (f"arn:aws:kms:{REGION}:111122223333:key/{word}" for word in ("old", "new"))
EVENT = {"tenant": "acme", "bucket": BUCKET, "keyArn": NEW, "revision": 1, "lifecycle": {"action": "create"}}


@dataclass
class Fake:
    """A bucket in memory; `writes` are done to an object between the look at it and its copy."""

    objects: dict[str, Found]
    writes: dict[str, list[Found | None]] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    spent: int = 0  # seconds; an answer takes one, a copy five

    def names(self, _bucket: str) -> Iterator[Sequence[str]]:
        found = sorted(self.objects)
        return (found[at : at + 3] for at in range(0, len(found), 3))

    def find(self, _bucket: str, name: str) -> Found | None:
        self.spent += 1
        return self.objects.get(name)

    def copy(self, _bucket: str, name: str, found: Found, key: str) -> bool:
        self.spent += 5
        if self.writes.get(name):
            written = self.writes[name].pop(0)
            self.objects.pop(name) if written is None else self.objects.update({name: written})
        if self.objects.get(name) != found:
            return False
        self.copies.append(name)
        self.objects[name] = replace(found, key=key)
        return True

    def earlier(self, _bucket: str) -> int:
        return len(self.copies)


def bucket(count: int = 7) -> Fake:
    return Fake({f"r{n}": Found(10, f"e{n}", OLD) for n in range(count)})


def run(fake: Fake, seconds: int = 10**6) -> Any:
    fake.spent = 0
    return carry_out(EVENT, Tools(objects=fake, late=lambda: fake.spent >= seconds))


def test_all_are_under_the_new_key_and_a_second_call_copies_none() -> None:
    fake = bucket()
    told = run(fake)
    assert (told["copied"], told["there"], told["earlierVersions"]) == (7, 0, 7)
    assert {f.key for f in fake.objects.values()} == {NEW}
    told = run(fake)
    assert (told["copied"], told["there"], len(fake.copies)) == (0, 7, 7)


def test_what_is_under_no_key_comes_under_the_new_one_too() -> None:
    fake = Fake({"old": Found(10, "e", None)})
    assert run(fake)["copied"] == 1


def test_a_call_that_runs_out_of_time_says_so_and_the_next_ones_finish() -> None:
    fake = bucket(30)
    before = 0
    while len(fake.objects) - before > 10:
        with pytest.raises(RekeyError, match="artefacts were encrypted anew and time is up; run again"):
            run(fake, seconds=60)
        assert len(fake.copies) > before, "each call goes on"
        before = len(fake.copies)
    run(fake)
    assert sorted(fake.copies) == sorted(fake.objects), "each was copied once, whatever was cut short"


def test_what_is_written_or_deleted_meanwhile_is_not_overwritten() -> None:
    fake = bucket(3)
    newer = Found(99, "newer", NEW)
    fake.writes = {"r0": [newer], "r1": [None], "r2": [Found(1, "later", OLD)]}
    told = run(fake)
    assert fake.objects == {"r0": newer, "r2": Found(1, "later", NEW)}
    assert (told["copied"], told["there"]) == (1, 1)


def test_an_object_that_never_rests_fails_the_call() -> None:
    fake = bucket(1)
    fake.writes = {"r0": [Found(1, f"again{n}", OLD) for n in range(TRIES)]}
    with pytest.raises(RekeyError, match="written all the time, such as r0; run again"):
        run(fake)


def test_what_is_too_large_for_a_copy_is_told_by_name() -> None:
    fake = Fake({"big": Found(LARGEST + 1, "e", OLD), "fits": Found(LARGEST, "e", OLD)})
    told = run(fake)
    assert (told["copied"], told["tooLarge"], told["left"]) == (1, 1, ["big"])


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"keyArn": "alias/acme"}, "keyArn: not allowed"),
        ({"bucket": "tenantry-dev-t-bolt-111122223333"}, "bucket: not of tenant acme"),
        ({"tenant": "pay"}, "bucket: not of tenant pay"),
        ({"more": 1}, "more: not a field"),
    ],
)
def test_a_mistake_in_the_caller_is_refused_whole(changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(RequestError, match=wrong):
        carry_out({**EVENT, **changes}, Tools(objects=bucket(), late=lambda: False))


def test_the_end_of_the_resource_does_nothing() -> None:
    fake = bucket()
    told = carry_out({**EVENT, "lifecycle": {"action": "delete"}}, Tools(objects=fake, late=lambda: False))
    assert (told, fake.copies) == ({"tenant": "acme", "deleted": True}, [])


# ------------------------------------------------------------------ the real one, against moto


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def put(s3: Any, name: str, body: bytes, key: str = OLD) -> None:
    s3.put_object(
        Bucket=BUCKET, Key=name, Body=body, ServerSideEncryption="aws:kms", SSEKMSKeyId=key,
        ContentType="application/pdf", Metadata={"of": name}, Tagging=f"report={name}",
    )  # fmt: skip


def test_contents_type_metadata_and_tags_stay_and_the_old_version_is_counted(s3: Any) -> None:
    for n in range(5):
        put(s3, f"r{n}", b"%d" % n)
    put(s3, "new", b"x", NEW)
    told = carry_out(EVENT, Tools(objects=S3(), late=lambda: False))
    assert (told["copied"], told["there"], told["earlierVersions"]) == (5, 1, 5)
    for n in range(5):
        found = s3.get_object(Bucket=BUCKET, Key=f"r{n}")
        assert (found["Body"].read(), found["SSEKMSKeyId"]) == (b"%d" % n, NEW)
        assert (found["ContentType"], found["Metadata"]) == ("application/pdf", {"of": f"r{n}"})
        tags = s3.get_object_tagging(Bucket=BUCKET, Key=f"r{n}")["TagSet"]
        assert tags == [{"Key": "report", "Value": f"r{n}"}]


def test_more_than_a_page_is_gone_through(s3: Any) -> None:
    for n in range(1005):
        s3.put_object(Bucket=BUCKET, Key=f"r{n}", Body=b"")
    assert sum(len(page) for page in S3().names(BUCKET)) == 1005
    assert S3().find(BUCKET, "none") is None


@pytest.mark.parametrize(
    "code", ["PreconditionFailed", "412", "409", "ConditionalRequestConflict", "NoSuchKey"]
)
def test_a_copy_that_came_too_late_is_tried_again_and_any_other_refusal_is_heard(code: str) -> None:
    asked: dict[str, Any] = {}

    class Client:
        exceptions = type("", (), {"ClientError": ClientError})

        def copy_object(self, **words: Any) -> None:
            asked.update(words)
            raise ClientError({"Error": {"Code": asked.pop("Code", code)}}, "CopyObject")

    assert not S3(Client()).copy(BUCKET, "r", Found(1, '"e"', OLD), NEW)
    assert (asked["IfMatch"], asked["CopySourceIfMatch"]) == ('"e"', '"e"')
    code = "AccessDenied"
    with pytest.raises(ClientError, match="AccessDenied"):
        S3(Client()).copy(BUCKET, "r", Found(1, '"e"', OLD), NEW)
