"""A certificate of destruction says by itself whether it was changed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from functions.tenant_leaving.certificate import sealed, verify
from tests.data.leaving import KEY

BODY = {
    "format": 1, "kind": "certificate of destruction", "tenant": "acme", "key": {"arn": KEY},
    "stores": [{"kind": "bucket", "name": "b", "objects": 2}], "remaining": [],
}  # fmt: skip


def test_a_certificate_survives_being_written_otherwise() -> None:
    found = dict(sealed(BODY))
    assert verify(found)
    assert verify(json.loads(json.dumps(dict(reversed(found.items())), indent=4)))


@given(st.sampled_from([*sealed(BODY), "more"]), st.none() | st.integers() | st.text(max_size=70))
def test_whatever_is_changed_in_a_certificate_is_seen(field: str, value: object) -> None:
    found = dict(sealed(BODY))
    if found.get(field) != value:
        assert not verify({**found, field: value})
        assert not verify({k: v for k, v in found.items() if k != field} | {"more": 1})


def test_another_document_with_a_right_digest_is_no_certificate() -> None:
    assert not verify(sealed({"tenant": "acme"}))
    assert not verify({})
