"""Values of protected columns that are not under the tenant's key are found, and its data keys are kept."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from field_encryption import DataKeys, FieldCipher, KeyUnavailableError, WrappedKey, current_data_key
from field_encryption.cipher import CLIENT
from field_encryption.messages import TenantMaterials
from functions.common import protected_columns
from functions.common.database_endpoint import DatabaseEndpoint, MoveError, administrator_at
from functions.common.protected_columns import ProtectedColumns, header, judgement, unprotected
from functions.common.tenant_session import as_tenant
from functions.tenant_bootstrap import inspection
from functions.tenant_bootstrap.handler import bootstrap
from functions.tenant_data.request import parse
from tests.data.leaving import Leaver
from tests.data.moving import Journey
from tests.data.server import Server
from tests.data.shard import Shard
from tests.field_encryption.keys import ACCOUNT, KEY, FakeKms, vectors

OTHER_KEY = KEY.replace("1234abcd", "9999abcd")
CARDS = "CREATE TABLE cards (id int PRIMARY KEY, number bytea, holder text)"
NUMBER = b"4111111111111111"
VECTOR_TENANT = "acme-pay"


def under(tenant: str, key: str = KEY) -> FieldCipher:
    return FieldCipher(DataKeys(tenant, ACCOUNT, FakeKms(tenant=tenant)), WrappedKey(key, b"wrapped"))


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(CARDS)
    return found


def write(journey: Journey, *values: bytes | None) -> None:
    for at, value in enumerate(values):
        text = "NULL" if value is None else f"'\\x{value.hex()}'"
        journey.run(f"INSERT INTO cards (id, number) VALUES ({at}, {text})")


@contextmanager
def session(journey: Journey) -> Iterator[DatabaseEndpoint]:
    request = parse(journey.event("prepare"))
    at_origin = administrator_at("origin", request.origin, request, journey.open, journey.secrets)
    with at_origin as endpoint, as_tenant(endpoint, journey.open) as found:
        yield found


def found_in(journey: Journey, *columns: str, keys: Sequence[str] = (KEY,)) -> list[str]:
    with session(journey) as tenant:
        return unprotected(tenant, ProtectedColumns(columns, keys))


def test_only_values_under_the_tenants_keys_are_protected(journey: Journey) -> None:
    mine, earlier = under(journey.tenant), under(journey.tenant, OTHER_KEY)
    write(journey, mine.encrypt(NUMBER), None, mine.encrypt(b""), earlier.encrypt(NUMBER))
    assert found_in(journey, "cards.number", keys=(OTHER_KEY, KEY)) == []
    assert found_in(journey, "cards.number") == [
        "cards.number: 1 values are not encrypted under the tenant's key"
    ]


FOUND = ["cards.number: 1 values are not encrypted under the tenant's key"]


@dataclass(frozen=True)
class Sealed:
    """A message for a tenant, and where its parts are."""

    tenant: str
    content: bytes = NUMBER

    @cached_property
    def message(self) -> bytes:
        return under(self.tenant).encrypt(self.content)

    @property
    def key_at(self) -> int:
        """Where it says how long the wrapped key is, which has 7 bytes."""
        return protected_columns.AFTER_ID - 1 + len(header(self.tenant, KEY))

    @property
    def type_at(self) -> int:
        """Where the type of its content stands, and how long frames are."""
        return self.key_at + 2 + 7

    @property
    def frames_at(self) -> int:
        return self.type_at + 1 + 4 + 32 + 16

    def put(self, at: int, to: bytes) -> bytes:
        return self.message[:at] + to + self.message[at + len(to) :]


def with_more_context(tenant: str) -> bytes:
    keys = DataKeys(tenant, ACCOUNT, FakeKms(tenant=tenant))
    materials = TenantMaterials(keys, WrappedKey(KEY, b"wrapped"))
    context = {"tenant": tenant, "column": "number"}
    return CLIENT.encrypt(source=NUMBER, materials_manager=materials, encryption_context=context)[0]


# What a careless service or an attacker puts in the place of a message, made of one for the tenant.
FORGED: dict[str, Callable[[Sealed], bytes]] = {
    "plaintext": lambda _: NUMBER,
    "nothing": lambda _: b"",
    "a beginning": lambda _: protected_columns.MESSAGE,
    "a header alone": lambda m: m.message[: m.frames_at],
    "a header and plaintext": lambda m: m.message[: m.frames_at] + NUMBER,
    "a header and a lot of plaintext": lambda m: m.message[: m.frames_at] + NUMBER * 1000,
    "cut off": lambda m: m.message[:-1],
    "cut to the length of a column": lambda m: Sealed(m.tenant, bytes(100)).message[:255],
    "plaintext behind it": lambda m: m.message + NUMBER,
    "twice": lambda m: m.message + m.message,
    "base64": lambda m: base64.b64encode(m.message),
    "base64 of a header": lambda m: base64.b64encode(m.message)[:200] + NUMBER,
    "hexadecimal": lambda m: m.message.hex().encode(),
    "as psql shows it": lambda m: f"\\x{m.message.hex()}".encode(),
    "in quotes": lambda m: b'"' + m.message + b'"',
    "another tenant's": lambda _: under("somebody-else").encrypt(NUMBER),
    "another tenant's with a longer name": lambda m: under(f"{m.tenant}x").encrypt(NUMBER),
    "under a key that is not the tenant's": lambda m: under(m.tenant, OTHER_KEY).encrypt(NUMBER),
    "in a wider context": lambda m: with_more_context(m.tenant),
    "version 1": lambda m: m.put(0, b"\x01"),
    "signed": lambda m: m.put(1, b"\x05\x78"),
    "two wrapped keys": lambda m: m.put(m.message.index(b"aws-kms") - 3, b"\x02"),
    "an empty wrapped key": lambda m: m.message[: m.key_at] + bytes(2) + m.message[m.type_at :],
    "no wrapped key": lambda m: m.put(m.key_at, b"\x00\x00"),
    "a long wrapped key": lambda m: m.put(m.key_at, b"\xff\xff"),
    "not framed": lambda m: m.put(m.type_at, b"\x01"),
    "frames of nothing": lambda m: Sealed(m.tenant, b"").put(m.type_at + 1, bytes(4)),
    "a frame longer than frames are": lambda m: m.put(m.type_at + 1, b"\x00\x00\x00\x0f"),
    "a frame of less than nothing": lambda m: (
        m.message[: m.frames_at]
        + b"\xff\xff\xff\xff\x00\x00\x00\x01"
        + bytes(12)
        + b"\xff\xff\xff\xfb"
        + NUMBER[:11]
    ),
    "frames that do not begin": lambda m: Sealed(m.tenant, bytes(5000)).put(m.frames_at, b"\x01"),
    "frames of four GiB": lambda m: m.put(m.type_at + 1, b"\xff" * 4) + b"x",
    "no last frame": lambda m: m.put(m.frames_at, bytes(4)),
    "another number of a frame": lambda m: m.put(m.frames_at + 4, b"\x00\x00\x00\x02"),
    "another length of a frame": lambda m: m.put(m.frames_at + 20, b"\x00\x00\x00\x01"),
}


@pytest.mark.parametrize("how", FORGED)
def test_anything_else_is_found(shard: Shard, how: str) -> None:
    sealed = Sealed(shard.acme)
    good, wrong = sealed.message, FORGED[how](sealed)
    assert wrong != good
    shard.run(shard.acme, CARDS)
    shard.run(shard.acme, f"INSERT INTO cards VALUES (1, '\\x{good.hex()}'), (2, '\\x{wrong.hex()}')")
    with at_shard(shard) as tenant:
        assert unprotected(tenant, ProtectedColumns(["cards.number"], [KEY])) == FOUND


@contextmanager
def at_shard(shard: Shard) -> Iterator[DatabaseEndpoint]:
    """As the check looks at a tenant of the shard."""
    request = inspection.parse(shard.inspection("cards.number", keys=[KEY]))
    at = administrator_at("database", request.address, request, shard.connect, shard.secrets)
    with at as endpoint, as_tenant(endpoint, shard.connect) as found:
        yield found


@pytest.fixture(scope="module")
def judged(steady: Shard) -> Iterator[Callable[[bytes], bool]]:
    """What the server says of a value that is in no table."""
    found = judgement(VECTOR_TENANT, [OTHER_KEY, vectors()["kmsKey"]], "value")
    query = f"SELECT {found.is_message} FROM (SELECT CAST(:value AS bytea) AS value) AS given"
    with steady.session(steady.acme) as session:
        parameters: dict[str, Any] = dict(found.parameters)
        yield lambda value: session.run(query, value=value, **parameters) == [[True]]


@pytest.mark.parametrize("size", [0, 1, 16, 4095, 4096, 4097, 8192, 100_000])
def test_a_message_is_known_whatever_its_length(judged: Callable[[bytes], bool], size: int) -> None:
    assert judged(under(VECTOR_TENANT).encrypt(bytes(size)))


def test_messages_of_other_clients_are_known(judged: Callable[[bytes], bool]) -> None:
    found = [base64.b64decode(v["message"]) for v in vectors()["messages"]]
    assert found
    assert all(map(judged, found))


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_longer_or_shorter_than_a_message_is_one(
    judged: Callable[[bytes], bool], data: st.DataObject
) -> None:
    message = under(VECTOR_TENANT).encrypt(bytes(data.draw(st.sampled_from([0, 9, 4096, 5000]))))
    assert not judged(message[: data.draw(st.integers(0, len(message) - 1))])
    assert not judged(message + data.draw(st.binary(min_size=1, max_size=5000)))


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_the_question_fail(judged: Callable[[bytes], bool], data: st.DataObject) -> None:
    """One value that did would keep all others from being looked at."""
    sealed = Sealed(VECTOR_TENANT)
    message, begins = bytearray(sealed.message), sealed.key_at
    for _ in range(data.draw(st.integers(1, 6))):
        message[data.draw(st.integers(begins, len(message) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(message[: data.draw(st.integers(begins, len(message)))])
    assert judged(cut) in (True, False)


def test_a_column_that_cannot_be_protected_is_named(journey: Journey) -> None:
    journey.run("CREATE VIEW seen AS SELECT number FROM cards")
    assert found_in(journey, "cards.holder", "cards.gone", "gone.number", "seen.number") == [
        "cards.holder: its type is not bytea",
        "cards.gone: there is no such column",
        "gone.number: there is no such column",
        "seen.number: it is no table's; name the column of the table where its values stand",
    ]


def test_a_move_begins_only_where_all_is_protected(journey: Journey) -> None:
    protected = {"columns": ["cards.number"], "keys": [KEY]}
    write(journey, NUMBER)
    with pytest.raises(MoveError, match=r"cards\.number: 1 values are not encrypted"):
        journey.go("prepare", protected=protected)
    journey.run(f"UPDATE cards SET number = '\\x{under(journey.tenant).encrypt(NUMBER).hex()}'")
    for stage in ("prepare", "replicate", "cutover"):
        journey.go(stage, protected=protected)
    assert journey.serving == "target"


def test_an_export_says_what_is_protected(shard: Shard) -> None:
    shard.run(shard.acme, CARDS, f"INSERT INTO cards VALUES (1, '\\x{NUMBER.hex()}', 'x')")
    leaver = Leaver(shard)
    shard.place(shard.acme, "update", login=False)
    asked = {"columns": ["cards.number"], "keys": [KEY]}
    expected = {"columns": ["cards.number"], "findings": ["cards.number: 1 values are not encrypted under the tenant's key"]}  # fmt: skip  # noqa: E501
    assert leaver.go("export", protected=asked)["protected"] == expected
    assert leaver.document(leaver.handover, "manifest.json")["protected"] == expected


class WrappingKms(FakeKms):
    """Makes data keys as well; the wrapped form says nothing."""

    def wrapped(self, key: str, tenant: str) -> bytes:
        assert tenant == self.tenant
        return f"wrapped {self.data_key.hex()[:4]} under {key[-4:]}".encode()


def place(shard: Shard, kms: WrappingKms, *keys: str, **changes: Any) -> None:
    protected = {"protected": {"columns": ["cards.number"], "keys": list(keys)}} if keys else {}
    event = shard.event(shard.acme, "update", **protected, **changes)
    bootstrap(event, shard.secrets, shard.connect, source=kms)


def data_keys(secret: Mapping[str, Any]) -> list[str]:
    return [kept["key"] for kept in secret.get("datakeys", ())]


def test_a_tenant_gets_a_data_key_for_each_of_its_keys(shard: Shard) -> None:
    kms = WrappingKms(tenant=shard.acme)
    place(shard, kms)
    assert data_keys(shard.secret(shard.acme)) == []
    place(shard, kms, KEY)
    place(shard, kms, KEY)
    first = shard.secret(shard.acme)
    assert data_keys(first) == [KEY]
    assert base64.b64decode(first["datakeys"][0]["wrapped"]).endswith(KEY[-4:].encode())
    place(shard, kms, KEY, OTHER_KEY)
    assert data_keys(shard.secret(shard.acme)) == [KEY, OTHER_KEY]
    assert shard.secret(shard.acme)["datakeys"][0] == first["datakeys"][0]
    assert current_data_key(shard.secret(shard.acme)).key == OTHER_KEY
    place(shard, kms)  # no column is protected any more; what was written stays readable
    assert data_keys(shard.secret(shard.acme)) == [KEY, OTHER_KEY]
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


def test_data_keys_outlive_a_move(journey: Journey) -> None:
    content = {**journey.secret, "datakeys": [{"key": KEY, "wrapped": "eA=="}]}
    journey.secrets.write(journey.secret_arn, content)
    for stage in ("prepare", "replicate", "cutover"):
        journey.go(stage)
    assert journey.serving == "target"
    assert journey.secret["datakeys"] == content["datakeys"]


def test_a_restored_dump_of_a_shard_is_unreadable_once_the_key_has_gone(shard: Shard, other: Server) -> None:
    """Crypto-shredding: rows of the pool stay in backups for longer than the tenant's key."""
    kms = WrappingKms(tenant=shard.acme)
    place(shard, kms, KEY)
    writer = FieldCipher(DataKeys(shard.acme, ACCOUNT, kms), current_data_key(shard.secret(shard.acme)))
    shard.run(shard.acme, CARDS, f"INSERT INTO cards VALUES (1, '\\x{writer.encrypt(NUMBER).hex()}', 'Zoë')")
    text = shard.server.pg_dump(shard.database, "--no-owner", "--no-privileges")
    name = f"restored_shard{shard.number}"
    other.superuser(f"CREATE DATABASE {name}")
    file = other.directory / f"{name}.sql"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    other.psql(name, file)
    ((kept, holder),) = other.rows(name, f"SELECT number, holder FROM {shard.role(shard.acme)}.cards")
    reader = FieldCipher(DataKeys(shard.acme, ACCOUNT, kms))
    assert reader.decrypt(kept) == NUMBER
    assert NUMBER.decode() not in text
    kms.gone = True
    with pytest.raises(KeyUnavailableError, match="KMSInvalidStateException"):
        FieldCipher(DataKeys(shard.acme, ACCOUNT, kms)).decrypt(kept)
    assert holder == "Zoë"  # what is not protected is as readable as it was
