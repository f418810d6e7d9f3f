"""Values of protected columns that are not under the tenant's key are found, and its data keys are kept."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from field_encryption import DataKeys, FieldCipher, KeyUnavailableError, WrappedKey, current_data_key
from functions.common import protected_columns
from functions.common.database_endpoint import DatabaseEndpoint, MoveError, administrator_at
from functions.common.protected_columns import ProtectedColumns, unprotected
from functions.common.tenant_session import as_tenant
from functions.tenant_bootstrap.handler import bootstrap
from functions.tenant_data.request import parse
from tests.data.leaving import Leaver
from tests.data.moving import Journey
from tests.data.server import Server
from tests.data.shard import Shard
from tests.field_encryption.keys import ACCOUNT, KEY, FakeKms

OTHER_KEY = KEY.replace("1234abcd", "9999abcd")
CARDS = "CREATE TABLE cards (id int PRIMARY KEY, number bytea, holder text)"
NUMBER = b"4111111111111111"


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


def found_in(journey: Journey, *columns: str, keys: Sequence[str] = (KEY,), **more: Any) -> list[str]:
    with session(journey) as tenant:
        return unprotected(tenant, ProtectedColumns(columns, keys), **more)


def test_only_values_under_the_tenants_keys_are_protected(journey: Journey) -> None:
    mine, earlier = under(journey.tenant), under(journey.tenant, OTHER_KEY)
    write(journey, mine.encrypt(NUMBER), None, mine.encrypt(b""), earlier.encrypt(NUMBER))
    assert found_in(journey, "cards.number", keys=(OTHER_KEY, KEY)) == []
    assert found_in(journey, "cards.number") == [
        "cards.number: 1 values are not encrypted under the tenant's key"
    ]


@pytest.mark.parametrize(
    "value", [NUMBER, b"", protected_columns.MESSAGE, under("somebody-else").encrypt(NUMBER)]
)
def test_anything_else_is_found(journey: Journey, value: bytes) -> None:
    write(journey, under(journey.tenant).encrypt(NUMBER), value)
    assert found_in(journey, "cards.number") == [
        "cards.number: 1 values are not encrypted under the tenant's key"
    ]


def test_a_column_that_cannot_be_protected_is_named(journey: Journey) -> None:
    journey.run("CREATE VIEW seen AS SELECT number FROM cards")
    assert found_in(journey, "cards.holder", "cards.gone", "gone.number", "seen.number") == [
        "cards.holder: its type is not bytea",
        "cards.gone: there is no such column",
        "gone.number: there is no such column",
        "seen.number: there is no such column",
    ]


def test_of_a_large_table_a_part_is_read(journey: Journey) -> None:
    journey.run(
        "CREATE TABLE parts (id int, number bytea) PARTITION BY RANGE (id)",
        "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100000)",
        "INSERT INTO parts SELECT n, '\\x00' FROM generate_series(1, 40000) n",
    )
    (whole,) = found_in(journey, "parts.number")
    (part,) = found_in(journey, "parts.number", most_pages=20)
    assert whole == "parts.number: 40000 values are not encrypted under the tenant's key"
    assert 0 < int(part.split()[1]) < 20_000


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
