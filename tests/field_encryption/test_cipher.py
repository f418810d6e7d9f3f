"""What is encrypted comes back to the tenant, and to nobody else, and not after its key has gone."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_encryption import (
    DataKeys,
    FieldCipher,
    FieldError,
    KeyUnavailableError,
    WrappedKey,
    current_data_key,
)
from field_encryption.data_keys import FIELD, REMEMBERED
from functions.common.protected_columns import AFTER_ID, MESSAGE, header
from functions.tenant_bootstrap import data_keys
from tests.field_encryption.keys import ACCOUNT, KEY, FakeKms, cipher, vectors

VALUE = b"4111111111111111"


@given(st.binary(max_size=9000))
def test_every_value_comes_back_and_none_is_seen(value: bytes) -> None:
    kms = FakeKms()
    one, again = cipher(kms).encrypt(value), cipher(kms).encrypt(value)
    assert cipher(kms).decrypt(one) == cipher(kms).decrypt(again) == value
    assert one != again
    assert len(value) < 8 or value not in one


@given(st.data())
def test_a_changed_message_is_refused(data: st.DataObject) -> None:
    reader = cipher(FakeKms())
    message = bytearray(reader.encrypt(VALUE))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FieldError, match="tenant acme-pay"):
        reader.decrypt(bytes(message))


@pytest.mark.parametrize("wrong", [b"", VALUE, b"\x02\x04\x78", b"\x01\x80" + bytes(90)])
def test_what_is_no_message_is_refused(wrong: bytes) -> None:
    with pytest.raises(FieldError, match="tenant acme-pay"):
        cipher(FakeKms()).decrypt(wrong)


def test_another_tenants_field_is_refused_before_kms_is_asked() -> None:
    message = cipher(FakeKms(tenant="bolt-fx"), tenant="bolt-fx").encrypt(VALUE)
    kms = FakeKms()
    with pytest.raises(FieldError, match="another tenant's"):
        cipher(kms).decrypt(message)
    assert kms.calls == 0


def test_a_key_of_another_account_is_not_asked_for() -> None:
    foreign = KEY.replace(ACCOUNT, "999988887777")
    message = FieldCipher(DataKeys("acme-pay", "999988887777", FakeKms()), WrappedKey(foreign, b"w")).encrypt(
        VALUE
    )
    kms = FakeKms()
    with pytest.raises(FieldError, match="a key of others"):
        cipher(kms).decrypt(message)
    assert kms.calls == 0


def test_kms_is_asked_once_and_again_after_five_minutes() -> None:
    kms, now = FakeKms(), [0.0]
    one = cipher(kms, clock=lambda: now[0])
    for _ in range(50):
        assert one.decrypt(one.encrypt(VALUE)) == VALUE
    assert kms.calls == 1
    now[0] = REMEMBERED + 1
    kms.gone = True
    with pytest.raises(KeyUnavailableError, match="KMSInvalidStateException"):
        one.encrypt(VALUE)


def test_without_a_data_key_nothing_is_encrypted_and_all_is_read() -> None:
    kms = FakeKms()
    reader = FieldCipher(DataKeys("acme-pay", ACCOUNT, kms))
    assert reader.decrypt(cipher(kms).encrypt(VALUE)) == VALUE
    with pytest.raises(FieldError, match="no data key"):
        reader.encrypt(VALUE)


def test_the_secret_names_the_data_key_in_use() -> None:
    kept = [{"key": f"{KEY}{n}", "wrapped": base64.b64encode(bytes([n])).decode()} for n in (1, 2)]
    assert current_data_key({"username": "x", FIELD: kept}) == WrappedKey(f"{KEY}2", b"\x02")
    with pytest.raises(FieldError, match="protected_columns"):
        current_data_key({"username": "x"})


def test_functions_and_services_mean_the_same() -> None:
    """Functions ship without this library, so they have the format's constants themselves."""
    message = cipher(FakeKms()).encrypt(VALUE)
    expected = header("acme-pay", KEY)
    assert message.startswith(MESSAGE)
    assert message[AFTER_ID - 1 :].startswith(expected)
    assert data_keys.FIELD == FIELD


def test_the_published_vectors_are_read() -> None:
    found = vectors()
    kms = FakeKms(base64.b64decode(found["dataKey"]))
    reader = FieldCipher(DataKeys("acme-pay", ACCOUNT, kms))
    assert {v["madeBy"].split()[0] for v in found["messages"]} == {
        "field_encryption",
        "@aws-crypto/client-node",
        "aws-encryption-sdk-java",
    }
    for vector in found["messages"]:
        message = base64.b64decode(vector["message"])
        assert reader.decrypt(message).decode() == vector["text"]
        assert message[AFTER_ID - 1 :].startswith(header("acme-pay", found["kmsKey"]))
