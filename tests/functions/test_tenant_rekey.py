"""Artefacts encrypted anew: each once, nothing lost that is written meanwhile, gone on with after any end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.common.events import RequestError
from functions.common.going_on import GoesOn
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

    def names(self, bucket: str, after: str) -> Iterator[Sequence[str]]:
        assert bucket == BUCKET
        found = sorted(name for name in self.objects if name > after)
        return (found[at : at + 3] for at in range(0, len(found), 3))

    def find(self, bucket: str, name: str) -> Found | None:
        assert bucket == BUCKET
        self.spent += 1
        return self.objects.get(name)

    def copy(self, bucket: str, name: str, found: Found, key: str) -> bool:
        assert bucket == BUCKET
        self.spent += 5
        if self.writes.get(name):
            written = self.writes[name].pop(0)
            self.objects.pop(name) if written is None else self.objects.update({name: written})
        if self.objects.get(name) != found:
            return False
        self.copies.append(name)
        self.objects[name] = replace(found, key=key)
        return True

    def earlier(self, bucket: str) -> int:
        assert bucket == BUCKET
        return len(self.copies)


def bucket(count: int = 7) -> Fake:
    return Fake({f"r{n}": Found(10, f"e{n}", OLD) for n in range(count)})


def run(fake: Fake, seconds: int = 10**6, resume: Mapping[str, Any] | None = None) -> Any:
    """One round; what the state machine is told of it, if it goes on."""
    fake.spent = 0
    tools = Tools(objects=fake, late=lambda: fake.spent >= seconds)
    try:
        return carry_out({**EVENT, "resume": resume or {}}, tools)
    except GoesOn as going_on:
        return going_on.answer("acme")


def test_all_are_under_the_new_key_and_a_second_call_copies_none() -> None:
    fake = bucket()
    answer = run(fake)
    assert (answer["copied"], answer["there"], answer["earlierVersions"]) == (7, 0, 7)
    assert {f.key for f in fake.objects.values()} == {NEW}
    answer = run(fake)
    assert (answer["copied"], answer["there"], len(fake.copies)) == (0, 7, 7)


def test_what_is_under_no_key_comes_under_the_new_one_too() -> None:
    fake = Fake({"old": Found(10, "e", None)})
    assert run(fake)["copied"] == 1


def test_a_round_that_runs_out_of_time_says_so_and_the_next_ones_finish() -> None:
    fake, told, rounds = bucket(30), {"goesOn": True, "resume": {}}, 0
    while told.get("goesOn"):
        told, rounds = run(fake, seconds=60, resume=told["resume"]), rounds + 1
    assert sorted(fake.copies) == sorted(fake.objects), "each was copied once, whatever was cut short"
    assert (told["copied"] + told["there"], rounds > 2) == (30, True)


def test_a_round_does_not_look_again_at_what_those_before_it_did() -> None:
    fake = Fake({f"r{n:03}": Found(10, "e", NEW) for n in range(100)})
    told = run(fake, seconds=60)
    assert 0 < told["resume"]["found"]["THERE"] < 100
    told = run(fake, seconds=60, resume=told["resume"])
    assert (told["there"], fake.spent < 60) == (100, True), "a bucket that no round can see whole has an end"


def test_what_is_written_or_deleted_meanwhile_is_not_overwritten() -> None:
    fake = bucket(3)
    newer = Found(99, "newer", NEW)
    fake.writes = {"r0": [newer], "r1": [None], "r2": [Found(1, "later", OLD)]}
    answer = run(fake)
    assert fake.objects == {"r0": newer, "r2": Found(1, "later", NEW)}
    assert (answer["copied"], answer["there"]) == (1, 1)


def test_an_object_that_never_rests_fails_the_call() -> None:
    fake = bucket(1)
    fake.writes = {"r0": [Found(1, f"again{n}", OLD) for n in range(TRIES)]}
    with pytest.raises(RekeyError, match="written all the time, such as r0; run again"):
        run(fake)


def test_what_is_too_large_for_a_copy_is_told_by_name() -> None:
    fake = Fake({"big": Found(LARGEST + 1, "e", OLD), "fits": Found(LARGEST, "e", OLD)})
    answer = run(fake)
    assert (answer["copied"], answer["tooLarge"], answer["left"]) == (1, 1, ["big"])


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
    answer = carry_out({**EVENT, "lifecycle": {"action": "delete"}}, Tools(objects=fake, late=lambda: False))
    assert (answer, fake.copies) == ({"tenant": "acme", "deleted": True}, [])


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
    answer = carry_out(EVENT, Tools(objects=S3(), late=lambda: False))
    assert (answer["copied"], answer["there"], answer["earlierVersions"]) == (5, 1, 5)
    for n in range(5):
        found = s3.get_object(Bucket=BUCKET, Key=f"r{n}")
        assert (found["Body"].read(), found["SSEKMSKeyId"]) == (b"%d" % n, NEW)
        assert (found["ContentType"], found["Metadata"]) == ("application/pdf", {"of": f"r{n}"})
        tags = s3.get_object_tagging(Bucket=BUCKET, Key=f"r{n}")["TagSet"]
        assert tags == [{"Key": "report", "Value": f"r{n}"}]


def test_more_than_a_page_is_gone_through(s3: Any) -> None:
    for n in range(1005):
        s3.put_object(Bucket=BUCKET, Key=f"r{n}", Body=b"")
    assert sum(len(page) for page in S3().names(BUCKET, "")) == 1005
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
