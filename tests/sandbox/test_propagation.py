"""Roles and buckets made a moment ago: the table, what the sandbox does by it, and what the program meets."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from devtools.mocks import Registered
from devtools.registrations import record_registrations
from devtools.stack_plans import plan_of_stack
from iam.documents import parse
from sandbox.aws import propagation
from sandbox.aws.cloud import CloudError
from sandbox.aws.propagation import KINDS, PRINCIPALS, Naming, findings, relations, rows, sources
from sandbox.aws.refusals.relations import words
from sandbox.aws.type_descriptions import describe, service_of
from tests.cells import PROJECT
from tests.program.cell import deployed
from tests.sandbox.world import ACCOUNT, BUCKET, FUNCTION, KEY, ROLE, TRUST, World

OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
MACHINE, TOPIC = "aws:sfn/stateMachine:StateMachine", "aws:sns/topic:Topic"
STACKS: Final = ("dev", "prod", "org")
ACTIONS: Final = ("create", "update")
ROWS: Final = [(token, key, naming) for token, found in rows().items() for key, naming in found.items()]


@cache
def resources(stack: str) -> tuple[Registered, ...]:
    """All that the program registers for a stack of the tests."""
    made = record_registrations(plan_of_stack(PROJECT, stack)) if stack == "org" else deployed(stack)
    return tuple(made.resources)


# -- the table


@pytest.mark.parametrize(("token", "key", "naming"), ROWS, ids=[f"{t} {k}" for t, k, _ in ROWS])
def test_each_row_is_complete(token: str, key: str, naming: Naming) -> None:
    assert key.split(".", maxsplit=1)[0] in describe(token).inputs
    assert naming.names in KINDS
    source = naming.behind
    assert [bool(part) for part in naming.answer] == ([True, True] if naming.checked else [])
    if source.waits:
        assert naming.checked
        assert {*source.waits} <= {*ACTIONS}
        assert source.until
        assert not source.says
        assert any(naming.waits_for(action) for action in ACTIONS), "it tries again for other words"
    else:
        assert source.says
        assert not any(naming.waits_for(action) for action in ACTIONS)


def test_each_source_is_of_a_row_and_names_a_file_of_the_provider() -> None:
    assert {naming.source for _, _, naming in ROWS} == {*sources()}
    assert [s for s in sources().values() if not s.file.endswith(".go") or not s.function] == []


def test_all_that_names_a_role_a_bucket_or_principals_has_a_row() -> None:
    assert findings(relations()) == []


def test_a_type_that_names_a_role_and_has_no_row_is_found() -> None:
    assert findings(relations() | {("aws:glue/job:Job", "roleArn"): "role"}) == [
        "aws:glue/job:Job names a role in `roleArn`, and has no row for that in sandbox/aws/propagation.yaml:"
        " add what AWS answers before it is known everywhere and what the provider does then, or `checked:"
        " false`"
    ]


def test_a_row_of_what_names_nothing_is_found() -> None:
    missing = {k: v for k, v in relations().items() if k != (FUNCTION, "role")}
    assert findings(missing) == [
        f"{FUNCTION} does not name a role in `role`: take its row out of sandbox/aws/propagation.yaml"
    ]


def test_no_input_in_use_is_called_as_a_role_or_a_bucket_and_leads_to_none() -> None:
    """A description may have forgotten to say to which type an input leads."""
    called = ("role", "rolearn", "bucket", "bucketname")
    given = {(r.type, key) for stack in STACKS for r in resources(stack) for key in r.inputs}
    names = {(token, key) for token, key in given if key.lower().endswith(called) and token != BUCKET}
    assert len(names) > 10
    assert names - relations().keys() == set()


# -- the sandbox


def role(w: World, name: str) -> str:
    """The ARN of a new one, which Lambda and Step Functions may assume."""
    return w.arn(ROLE, w.make(ROLE, name=name, assumeRolePolicy=TRUST.replace("lambda.", "states.")))


def refused(w: World, token: str, words: str, **inputs: Any) -> None:
    with pytest.raises(CloudError, match=words):
        w.make(token, **inputs)


def test_what_the_provider_does_not_wait_for_is_refused_once(world: World) -> None:
    given = {
        "bucket": world.make(BUCKET, bucket="new-bucket"),
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    }
    refused(world, OWNERSHIP, "creating S3 BucketOwnershipControls: NoSuchBucket: The specified", **given)
    assert world.cloud.store.all(OWNERSHIP) == []
    world.make(OWNERSHIP, **given)


def test_what_the_provider_waits_for_is_made_and_then_known(world: World) -> None:
    bucket = world.make(BUCKET, bucket="new-bucket")
    world.make(VERSIONING, bucket=bucket, versioningConfiguration={"status": "Enabled"})
    world.make(OWNERSHIP, bucket=bucket, rule={"objectOwnership": "BucketOwnerEnforced"})
    assert [row.inputs["bucket"] for row in world.cloud.store.all(OWNERSHIP)] == [bucket]


def test_a_provider_that_waited_for_nothing_would_fail_at_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = {name: replace(source, waits=[]) for name, source in sources().items()}
    monkeypatch.setattr(propagation, "sources", lambda: waits)
    arn = world.arn(ROLE, world.make(ROLE, name="new", assumeRolePolicy=TRUST))
    function = {"name": "f", "role": arn, "runtime": "python3.12", "handler": "a.b"}
    refused(world, FUNCTION, "role defined for the function cannot be assumed by Lambda", **function)
    world.make(FUNCTION, **function)
    refused(world, TOPIC, "InvalidParameter: .*PrincipalNotFound", name="t", policy=naming_policy(arn))
    world.make(TOPIC, name="t", policy=naming_policy(arn))


def naming_policy(arn: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": [arn]}, "Action": "sns:Publish", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_an_update_that_names_a_new_role_is_refused_where_only_creations_wait(world: World) -> None:
    given = {"name": "m", "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'}
    machine = world.make(MACHINE, roleArn=role(world, "one"), **given)
    urn = "urn:pulumi:dev::p::t::m"
    world.cloud.store.forget([arn_of("one")])  # as in a cloud that is older than this
    world.cloud.update(MACHINE, machine, urn, given | {"roleArn": arn_of("one"), "type": "STANDARD"})
    other = given | {"roleArn": role(world, "other")}
    with pytest.raises(CloudError, match=r"updating SFN StateMachine .* AccessDeniedException: Neither the"):
        world.cloud.update(MACHINE, machine, urn, other)
    assert world.cloud.update(MACHINE, machine, urn, other)["roleArn"] == arn_of("other")


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def test_each_service_has_to_hear_of_a_role_and_only_of_what_is_there(world: World) -> None:
    arn = world.arn(ROLE, world.make(ROLE, name="new", assumeRolePolicy=TRUST))
    world.make(KEY, policy=naming_policy(arn).replace("sns:Publish", "kms:*"))
    store = world.cloud.store
    kms, sns = (f"{service} of {ACCOUNT} in {store.region}" for service in ("kms", "sns"))
    assert (store.has_heard(kms, arn), store.has_heard(sns, arn)) == (True, False)
    world.make(TOPIC, name="t", policy=naming_policy(arn_of("somebody-elses")))
    assert not store.has_heard(sns, arn_of("somebody-elses"))


def test_a_bucket_of_the_same_name_is_a_new_one(world: World) -> None:
    for _ in range(2):
        bucket = world.make(BUCKET, bucket="new-bucket")
        given = {"bucket": bucket, "rule": {"objectOwnership": "BucketOwnerEnforced"}}
        refused(world, OWNERSHIP, "NoSuchBucket", **given)
        world.cloud.delete(BUCKET, bucket)


def test_of_a_bucket_another_account_asks_the_same_service(world: World) -> None:
    world.make(
        VERSIONING, bucket=world.make(BUCKET, bucket="b-1"), versioningConfiguration={"status": "Enabled"}
    )
    assert world.cloud.store.elsewhere("999999999999", "eu-central-1").has_heard("s3", "b-1")


# -- the program


def named(resource: Registered, buckets: Mapping[str, str], *, waits: bool) -> set[str]:
    """The buckets, and ARNs of roles, that a creation names; for which the provider waits, or does not."""
    return {
        f"{service_of(resource.type) if naming.names == 'role' else 's3'}: {buckets.get(word, word)}"
        for key, naming in rows().get(resource.type, {}).items()
        if naming.checked and naming.names != PRINCIPALS and naming.waits_for("create") == waits
        for word in words(resource.inputs, key.split("."))
    }


def unsettled(made: Iterable[Registered]) -> list[str]:
    """What names something for which nobody has waited before it, whatever the engine does first."""
    buckets: dict[str, str] = {}  # the id that mocks give one → its name
    known: dict[str, set[str]] = {}  # URN → what is known once it is made
    found: list[str] = []
    for r in made:
        if r.type == BUCKET:
            buckets[f"{r.name}-id"] = str(r.inputs["bucket"])
        before = set[str]().union(*(known.get(urn, set()) for urn in r.dependencies))
        found += [f"{r.name}, {n}" for n in sorted(named(r, buckets, waits=False) - before)]
        known[r.urn] = before | named(r, buckets, waits=True)
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_meets_no_answer_that_the_provider_does_not_wait_for(stack: str) -> None:
    """Where it does not wait, the resource comes after one that names the same and for which it does."""
    assert any(named(r, {}, waits=False) for r in resources(stack))
    assert unsettled(resources(stack)) == []


def test_a_resource_that_comes_too_early_is_found() -> None:
    early = [replace(r, dependencies=()) if r.name == "ca-bundle-ownership" else r for r in resources("dev")]
    assert unsettled(early) == ["ca-bundle-ownership, s3: tenantry-dev-trust-111122223333"]


@pytest.mark.parametrize("stack", STACKS)
def test_no_policy_names_a_role_where_the_provider_does_not_wait(stack: str) -> None:
    policies = [
        (r.name, str(r.inputs[key]))
        for r in resources(stack)
        for key, naming in rows().get(r.type, {}).items()
        if naming.names == PRINCIPALS and not naming.waits_for("create") and r.inputs.get(key)
    ]
    assert [name for name, policy in policies if any("arn:" in a for a in principals(policy))] == []


def principals(policy: str) -> set[str]:
    return {a for statement in parse(policy) for a in statement.principals.get("AWS", ())}
