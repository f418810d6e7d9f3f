"""A password turns in four steps, any of which may be called twice, and nobody is locked out on the way."""

import base64
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from functions.common.connection import BootstrapError
from functions.common.secret_store import PENDING, SecretsManager
from functions.tenant_bootstrap.rotation import STEPS, rotate
from tests.data.shard import MASTER_ARN, Shard

TOKEN = "0f3c2b1a-token-of-the-rotation"


def begin(shard: Shard, token: str = TOKEN) -> None:
    """Secrets Manager makes the version, without a content yet, and labels it."""
    shard.secrets.labels[shard.secret_arn(shard.acme)][token] = [PENDING]


def step(shard: Shard, name: str, token: str = TOKEN, arn: str | None = None) -> None:
    event = {"Step": name, "SecretId": arn or shard.secret_arn(shard.acme), "ClientRequestToken": token}
    rotate(event, shard.secrets, shard.connect)


def log_in(shard: Shard, password: str) -> Any:
    connection = shard.server.connect(shard.role(shard.acme), password, shard.database)
    try:
        return connection.run("SELECT current_user")
    finally:
        connection.close()


def test_after_all_steps_the_new_password_works_and_the_old_one_does_not(shard: Shard) -> None:
    old = shard.secret(shard.acme)
    begin(shard)
    for name in STEPS:
        step(shard, name)
    new = shard.secret(shard.acme)
    assert new["password"] != old["password"]
    assert {**new, "password": ""} == {**old, "password": ""}
    assert log_in(shard, new["password"]) == [[shard.role(shard.acme)]]
    with pytest.raises(DatabaseError, match="password authentication failed"):
        log_in(shard, old["password"])
    assert shard.run(shard.bolt, "SELECT 1") == [[1]]


@pytest.mark.parametrize("done", range(1, 4))
def test_a_rotation_that_a_move_overtakes_never_leads_back(shard: Shard, done: int) -> None:
    """Its pending version still names the old place, where a login is refused and not the password."""
    arn = shard.secret_arn(shard.acme)
    begin(shard)
    for name in list(STEPS)[:done]:
        step(shard, name)
    elsewhere = {"host": "silo.mock.eu-west-1.rds.amazonaws.com", "password": "of it"}
    moved = {**shard.secret(shard.acme), **elsewhere}
    shard.secrets.write(arn, moved)
    with pytest.raises(BootstrapError, match="was moved since this rotation began; rotate again"):
        step(shard, list(STEPS)[done])
    assert shard.secret(shard.acme) == moved
    assert PENDING not in [stage for stages in shard.secrets.stages(arn).values() for stage in stages]


@pytest.mark.parametrize("done", range(1, 5))
def test_each_step_may_be_called_again(shard: Shard, done: int) -> None:
    begin(shard)
    for name in list(STEPS)[:done]:
        step(shard, name)
        step(shard, name)
    for name in STEPS:
        step(shard, name)
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


def test_until_the_password_is_set_the_old_one_works(shard: Shard) -> None:
    begin(shard)
    step(shard, "createSecret")
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


def test_an_update_in_the_middle_leaves_the_tenant_in(shard: Shard) -> None:
    begin(shard)
    step(shard, "createSecret")
    step(shard, "setSecret")
    shard.place(shard.acme, "update")
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


def test_a_password_that_was_not_set_fails_its_test(shard: Shard) -> None:
    begin(shard)
    step(shard, "createSecret")
    with pytest.raises(BootstrapError, match="password authentication failed"):
        step(shard, "testSecret")


def test_a_suspended_tenant_is_rotated_and_stays_out(shard: Shard) -> None:
    shard.place(shard.acme, "update", login=False)
    begin(shard)
    for name in STEPS:
        step(shard, name)
    with pytest.raises(DatabaseError, match="is not permitted to log in"):
        shard.run(shard.acme, "SELECT 1")


def test_the_log_holds_no_rotated_password(shard: Shard) -> None:
    begin(shard)
    for name in STEPS:
        step(shard, name)
    assert shard.secret(shard.acme)["password"] not in shard.server.log


REFUSED = {
    "a token that the secret does not have": ("setSecret", "other", None, "no version of this token"),
    "a step that there is not": ("dropSecret", TOKEN, None, "expected a step of createSecret, setSecret"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_rotation_is_refused(shard: Shard, name: str) -> None:
    called, token, arn, message = REFUSED[name]
    begin(shard)
    with pytest.raises(BootstrapError, match=message):
        step(shard, called, token, arn)


def test_the_administrators_secret_is_not_rotated_here(shard: Shard) -> None:
    shard.secrets.labels[MASTER_ARN][TOKEN] = [PENDING]
    shard.secrets.versions[MASTER_ARN][TOKEN] = {"username": "platform", "password": "x"}
    with pytest.raises(BootstrapError, match="not a secret of a tenant"):
        step(shard, "setSecret", arn=MASTER_ARN)


def test_a_pending_version_of_another_role_sets_nothing(shard: Shard) -> None:
    begin(shard)
    stolen = {**shard.secret(shard.acme), "username": shard.role(shard.bolt), "password": "stolen"}
    shard.secrets.versions[shard.secret_arn(shard.acme)][TOKEN] = stolen
    with pytest.raises(BootstrapError, match="the pending version is not one of its role"):
        step(shard, "setSecret")
    assert shard.run(shard.bolt, "SELECT 1") == [[1]]


def webhook(shard: Shard) -> str:
    return shard.secret_arn(shard.acme).replace("/database-", "/webhook-")


def test_a_tenant_that_is_told_by_webhook_has_a_key_from_the_first_delivery_on(shard: Shard) -> None:
    shard.place(shard.acme, "update", webhookSecret=webhook(shard))
    first = shard.secrets.read(webhook(shard))
    assert first is not None
    assert first["algorithm"] == "HMAC-SHA256"
    assert len(base64.b64decode(first["key"], validate=True)) == 36
    shard.place(shard.acme, "update", webhookSecret=webhook(shard))
    assert shard.secrets.read(webhook(shard)) == first


def test_a_key_for_webhooks_turns_without_the_database(shard: Shard) -> None:
    arn, login = webhook(shard), shard.secret(shard.acme)
    shard.place(shard.acme, "update", webhookSecret=arn)
    before = shard.secrets.read(arn)
    shard.secrets.labels[arn][TOKEN] = [PENDING]
    for name in STEPS:
        step(shard, name, arn=arn)
        step(shard, name, arn=arn)
    after = shard.secrets.read(arn)
    assert before is not None
    assert after is not None
    assert after["key"] != before["key"]
    assert after.keys() == before.keys()
    assert shard.secret(shard.acme) == login
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


class _NotFoundError(Exception):
    """As boto3 names it."""


class _Client:
    """The calls that the real store makes, answered as the API reference has it."""

    class exceptions:  # noqa: N801 - boto3's own name
        ResourceNotFoundException = _NotFoundError

    def __init__(self) -> None:
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.versions = {"v1": ["AWSCURRENT"], "v2": ["AWSPENDING"]}

    def get_secret_value(self, **given: Any) -> dict[str, Any]:
        self.called.append(("get", given))
        if given.get("VersionId") == "none":
            raise _NotFoundError
        return {"SecretString": '{"password": "x"}'}

    def describe_secret(self, **given: Any) -> dict[str, Any]:
        self.called.append(("describe", given))
        return {"VersionIdsToStages": self.versions}

    def put_secret_value(self, **given: Any) -> None:
        self.called.append(("put", given))

    def update_secret_version_stage(self, **given: Any) -> None:
        self.called.append(("move", given))


def test_secrets_manager_is_asked_in_its_own_words() -> None:
    client = _Client()
    store = SecretsManager(client)
    assert store.read("arn") == {"password": "x"}
    assert store.read("arn", "none") is None
    store.write("arn", {"a": 1})
    store.write("arn", {"a": 2}, "v2")
    store.promote("arn", "v2")
    assert client.called == [
        ("get", {"SecretId": "arn", "VersionStage": "AWSCURRENT"}),
        ("get", {"SecretId": "arn", "VersionId": "none"}),
        ("put", {"SecretId": "arn", "SecretString": '{"a": 1}'}),
        (
            "put",
            {
                "SecretId": "arn",
                "SecretString": '{"a": 2}',
                "ClientRequestToken": "v2",
                "VersionStages": ["AWSPENDING"],
            },
        ),
        ("describe", {"SecretId": "arn"}),
        (
            "move",
            {
                "SecretId": "arn",
                "VersionStage": "AWSCURRENT",
                "MoveToVersionId": "v2",
                "RemoveFromVersionId": "v1",
            },
        ),
    ]
