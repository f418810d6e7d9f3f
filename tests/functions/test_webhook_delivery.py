"""Deliveries to servers that tenants name: real TLS on loopback, and every way of pointing it inside."""

import base64
import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.webhook_delivery.aws import Aws
from functions.webhook_delivery.handler import deliver, deliver_all, pause
from functions.webhook_delivery.posting import DeliveryError, post, public_endpoints
from functions.webhook_delivery.signing import headers
from tests.functions.tls import Server

KEY, OLD_KEY = ("A" * 48, "B" * 48)
HOST = "hooks.acme.example"
URL = f"https://{HOST}/events?from=tenantry"
EVENT = {"id": "evt_1", "tenant": "acme", "type": "report.finished", "created": "now", "data": {"n": 1}}


def recipe() -> Callable[[Mapping[str, str], bytes, str], bool]:
    """The check that docs/webhooks.md gives to receivers, taken from there."""
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - our own page
    return names["genuine"]


# --- signatures


def signed(body: bytes, *keys: str, at: int | None = None) -> Mapping[str, str]:
    return headers("evt_1", int(time.time()) if at is None else at, body, keys)


def test_a_receiver_that_follows_the_page_can_tell_a_genuine_delivery() -> None:
    genuine = recipe()
    assert genuine(signed(b"{}", KEY), b"{}", KEY)
    assert not genuine(signed(b"{}", KEY), b"{} ", KEY)
    assert not genuine(signed(b"{}", KEY), b"{}", OLD_KEY)
    assert not genuine(signed(b"{}", KEY, at=int(time.time()) - 301), b"{}", KEY)
    assert not genuine({**signed(b"{}", KEY), "Webhook-Id": "evt_2"}, b"{}", KEY)


def test_while_a_key_is_rotated_either_key_finds_its_signature() -> None:
    both = signed(b"{}", KEY, OLD_KEY)
    assert recipe()(both, b"{}", KEY)
    assert recipe()(both, b"{}", OLD_KEY)


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The example of the Standard Webhooks reference libraries."""
    secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    found = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret])
    assert found["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(ValueError, match="needs at least one key"):
        headers("evt_1", 0, b"{}", [])


@given(
    st.text(
        alphabet=st.characters(min_codepoint=48, max_codepoint=122, categories=("Lu", "Ll", "Nd")),
        min_size=48,
        max_size=48,
    )
)
def test_every_key_that_the_program_makes_can_sign(key: str) -> None:
    assert len(base64.b64decode(key)) == 36
    assert recipe()(signed(b"x", key), b"x", key)


# --- where it may connect to


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in addresses],
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.16.32.5",  # the cell
        "10.64.0.9",  # a dedicated tenant
        "169.254.169.254",  # instance metadata
        "169.254.170.2",  # task credentials
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_an_address_that_is_not_public_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolves(monkeypatch, address)
    with pytest.raises(DeliveryError, match=r"hooks\.acme\.example is not a public server"):
        post(URL, b"{}", {})


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "93.184.216.34", "10.0.0.1")
    with pytest.raises(DeliveryError, match="is not a public server"):
        public_endpoints(HOST)


def test_a_public_address_is_reached_on_443(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "93.184.216.34")
    assert public_endpoints(HOST) == [("93.184.216.34", 443)]


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time finds nobody asking."""
    tried: list[object] = []

    def connect(address: object, *_: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    resolves(monkeypatch, "93.184.216.34")
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(DeliveryError, match="did not answer: ConnectionRefusedError"):
        post(URL, b"{}", {})
    assert tried == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/",
        f"https://{HOST}:8443/",
        f"https://user:secret@{HOST}/",
        "https:///events",
        "ftp://x/",
        "file:///etc/passwd",
        "gopher://x",
        "https://[::1",
        f"https://{HOST}:port/",
        "",
    ],
)
def test_only_https_on_its_own_port_is_spoken(url: str) -> None:
    with pytest.raises(DeliveryError, match="webhook's address") as refused:
        post(url, b"{}", {})
    assert "secret" not in str(refused.value)


def test_a_name_without_an_address_is_said_so() -> None:
    with pytest.raises(DeliveryError, match="has no address"):
        public_endpoints("nowhere.invalid")


# --- over TLS


class Receiver(Server):
    """A tenant's server on loopback, under a certificate for `HOST`."""

    def send(self, url: str, body: bytes, sent: Mapping[str, str]) -> int:
        return post(url, body, sent, resolve=lambda _: [self.endpoint], context=self.trusted)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path, HOST)
    with made.running():
        yield made


def test_a_delivery_arrives_whole(receiver: Receiver) -> None:
    assert receiver.send(URL, b'{"a":1}', {"Webhook-Id": "evt_1"}) == 200
    path, sent, body = receiver.got[0]
    assert (path, body) == ("/events?from=tenantry", b'{"a":1}')
    assert sent["Host"].split(":")[0] == HOST
    assert sent["Webhook-Id"] == "evt_1"


def test_a_server_under_another_name_gets_nothing(receiver: Receiver) -> None:
    with pytest.raises(DeliveryError, match=r"other\.example did not answer: SSLCertVerificationError"):
        receiver.send("https://other.example/", b"{}", {})
    assert receiver.got == []


def test_a_certificate_that_nobody_vouches_for_gets_nothing(receiver: Receiver) -> None:
    with pytest.raises(DeliveryError, match="SSLCertVerificationError"):
        post(URL, b"{}", {}, resolve=lambda _: [receiver.endpoint])
    assert receiver.got == []


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 429, 500, 503])
def test_every_answer_but_2xx_is_a_failure(receiver: Receiver, status: int) -> None:
    receiver.answer = status
    with pytest.raises(DeliveryError, match=f"answered {status}"):
        receiver.send(URL, b"{}", {})


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer, receiver.location = 307, "https://169.254.169.254/latest/meta-data"
    with pytest.raises(DeliveryError, match="answered 307"):
        receiver.send(URL, b"{}", {})
    assert len(receiver.got) == 1


# --- from the queue to the tenant


class NotFoundError(Exception):
    pass


class FakeAws:
    """The clients that boto3 would make, and what they were asked."""

    class exceptions:  # noqa: N801 - as boto3 spells it
        ParameterNotFound = NotFoundError
        ResourceNotFoundException = NotFoundError

    def __init__(self, entries: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> None:
        self.entries, self.keys = entries, keys
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.credentials: list[Mapping[str, str]] = []

    def client(self, service: str, **credentials: str) -> "FakeAws":
        if service == "secretsmanager":
            self.credentials.append(credentials)
        return self

    def get_parameter(self, **asked: Any) -> Mapping[str, Any]:
        self.asked.append(("get_parameter", asked))
        tenant = asked["Name"].removeprefix("/tenantry/dev/tenants/")
        if tenant not in self.entries:
            raise NotFoundError
        return {"Parameter": {"Value": json.dumps(self.entries[tenant])}}

    def assume_role(self, **asked: Any) -> Mapping[str, Any]:
        self.asked.append(("assume_role", asked))
        return {"Credentials": {"AccessKeyId": "id", "SecretAccessKey": "key", "SessionToken": "token"}}

    def get_secret_value(self, **asked: Any) -> Mapping[str, Any]:
        self.asked.append(("get_secret_value", asked))
        if asked["VersionStage"] not in self.keys:
            raise NotFoundError
        return {"SecretString": json.dumps({"key": self.keys[asked["VersionStage"]]})}

    def change_message_visibility(self, **asked: Any) -> None:
        self.asked.append(("change_message_visibility", asked))

    def of(self, call: str) -> list[Mapping[str, Any]]:
        return [asked for name, asked in self.asked if name == call]


def entry(tenant: str, **changed: Any) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "active": True,
        "roleArn": f"arn:aws:iam::111122223333:role/tenantry-dev-tenant-{tenant}",
        "webhook": {"url": URL, "secretArn": f"arn:secret:{tenant}"},
        **changed,
    }


def aws(fake: FakeAws) -> Aws:
    return Aws("/tenantry/dev/tenants", "https://queue", fake)


def world(**changed: Any) -> FakeAws:
    return FakeAws({"acme": entry("acme", **changed)}, {"AWSCURRENT": KEY})


def record(number: int, event: Mapping[str, Any], attempt: int = 1) -> dict[str, Any]:
    return {
        "messageId": f"m{number}",
        "receiptHandle": f"r{number}",
        "body": json.dumps(event),
        "attributes": {"ApproximateReceiveCount": str(attempt)},
    }


def refuse(*_: object) -> int:
    raise DeliveryError("hooks.acme.example answered 500")


def test_an_event_reaches_its_tenant_signed_with_its_key(receiver: Receiver) -> None:
    fake = world()
    deliver(json.dumps(EVENT), aws(fake), receiver.send)
    _, sent, body = receiver.got[0]
    assert json.loads(body) == EVENT
    assert recipe()(sent, body, KEY)
    assert sent["Content-Type"] == "application/json"


def test_both_keys_sign_while_one_is_rotated(receiver: Receiver) -> None:
    fake = world()
    fake.keys = {"AWSCURRENT": KEY, "AWSPREVIOUS": OLD_KEY}
    deliver(json.dumps(EVENT), aws(fake), receiver.send)
    _, sent, body = receiver.got[0]
    assert recipe()(sent, body, KEY)
    assert recipe()(sent, body, OLD_KEY)


def test_the_key_is_read_as_the_tenant_in_a_session_that_can_do_nothing_else(receiver: Receiver) -> None:
    fake = world()
    deliver(json.dumps(EVENT), aws(fake), receiver.send)
    (assumed,) = fake.of("assume_role")
    assert assumed["Tags"] == [{"Key": "tenant", "Value": "acme"}]
    allowed = {s["Action"]: s["Resource"] for s in json.loads(assumed["Policy"])["Statement"]}
    assert allowed["secretsmanager:GetSecretValue"] == "arn:secret:acme"
    assert set(allowed) == {"secretsmanager:GetSecretValue", "kms:Decrypt"}
    assert fake.credentials == [
        {"aws_access_key_id": "id", "aws_secret_access_key": "key", "aws_session_token": "token"}
    ]


def test_a_tenant_without_a_webhook_is_done_at_once() -> None:
    fake = world(webhook=None)
    deliver(json.dumps(EVENT), aws(fake), refuse)
    assert fake.of("assume_role") == []


def test_a_suspended_tenant_gets_nothing_and_its_key_is_not_read() -> None:
    fake = world(active=False)
    with pytest.raises(DeliveryError, match="tenant acme is suspended"):
        deliver(json.dumps(EVENT), aws(fake), refuse)
    assert fake.of("get_secret_value") == []


def test_an_unknown_tenant_is_said_so() -> None:
    with pytest.raises(DeliveryError, match="tenant nobody is not in the catalog"):
        deliver(json.dumps({**EVENT, "tenant": "nobody"}), aws(world()), refuse)


def test_an_entry_of_somebody_else_is_refused() -> None:
    fake = FakeAws({"acme": entry("other")}, {"AWSCURRENT": KEY})
    with pytest.raises(DeliveryError, match="the catalog's entry of acme is not its own"):
        deliver(json.dumps(EVENT), aws(fake), refuse)


@pytest.mark.parametrize("tenant", ["../acme", "acme/../other", "", "ACME", "ab", "acme\n", "x" * 41])
def test_a_name_that_would_lead_elsewhere_in_the_catalog_is_refused(tenant: str) -> None:
    fake = world()
    with pytest.raises(DeliveryError, match="names no possible tenant"):
        deliver(json.dumps({**EVENT, "tenant": tenant}), aws(fake), refuse)
    assert fake.asked == []


@pytest.mark.parametrize("text", ["", "[]", "3", '"x"', '{"id": "1"}', "null", "{"])
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(DeliveryError, match="not an event with an id and a tenant"):
        deliver(text, aws(world()), refuse)


def test_one_tenant_s_trouble_is_nobody_else_s(receiver: Receiver) -> None:
    fake = FakeAws({"acme": entry("acme"), "broken": entry("broken", webhook={})}, {"AWSCURRENT": KEY})
    fake.entries["broken"]["webhook"] = {"url": "http://plain", "secretArn": "arn:secret:broken"}  # type: ignore[index]
    records = [record(1, {**EVENT, "tenant": "broken"}), record(2, EVENT), record(3, {"tenant": "acme"})]
    result = deliver_all(records, aws(fake), receiver.send)
    assert result == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}]}
    assert len(receiver.got) == 1


def test_an_error_of_aws_fails_one_delivery_and_its_words_stay_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake = world()

    def fail(**_: Any) -> Mapping[str, Any]:
        raise RuntimeError("canary-secret in somebody else's words")

    fake.assume_role = fail  # type: ignore[method-assign]
    result = deliver_all([record(1, EVENT)], aws(fake), refuse)
    assert result == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


def test_each_try_waits_longer_up_to_an_hour() -> None:
    assert [pause(n) for n in range(1, 8)] == [30, 120, 480, 1920, 3600, 3600, 3600]
    assert pause(10_000) == 3600


def test_a_failed_delivery_comes_back_after_its_pause() -> None:
    fake = world()
    deliver_all([record(7, EVENT, attempt=3)], aws(fake), refuse)
    assert fake.of("change_message_visibility") == [
        {"QueueUrl": "https://queue", "ReceiptHandle": "r7", "VisibilityTimeout": 480}
    ]


def test_a_failure_is_still_a_failure_when_the_queue_cannot_be_asked() -> None:
    fake = world()

    def fail(**_: Any) -> None:
        raise RuntimeError

    fake.change_message_visibility = fail  # type: ignore[method-assign]
    assert deliver_all([record(1, EVENT)], aws(fake), refuse)["batchItemFailures"]


def test_logs_hold_neither_body_nor_key(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    event = {**EVENT, "data": {"iban": "canary-iban"}}
    deliver_all([record(1, event), record(2, event)], aws(world()), receiver.send)
    receiver.answer = 500
    deliver_all([record(3, event)], aws(world()), receiver.send)
    assert "evt_1" in caplog.text
    assert "canary" not in caplog.text
    assert KEY not in caplog.text
