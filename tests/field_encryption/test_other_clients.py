"""AWS's own clients read what services write with this library, and the other way round."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.field_encryption.keys import FakeKms, cipher, vectors
from tests.npm import installed

HERE = Path(__file__).parent / "node"


def asked(encrypt: list[str], decrypt: list[bytes]) -> dict[str, Any]:
    found = vectors()
    request = {
        "folder": str(installed(HERE)),
        "key": found["kmsKey"],
        "tenant": "acme-pay",
        "wrapped": base64.b64encode(b"wrapped").decode(),
        "dataKey": found["dataKey"],
        "encrypt": encrypt,
        "decrypt": [base64.b64encode(message).decode() for message in decrypt],
    }
    run = subprocess.run(
        ["node", str(HERE / "messages.mjs")],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.slow
@settings(max_examples=5)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), min_size=1, max_size=20))
def test_the_client_for_javascript_reads_and_writes_the_same(values: list[str]) -> None:
    one = cipher(FakeKms(base64.b64decode(vectors()["dataKey"])))
    found = asked(values, [one.encrypt(value.encode()) for value in values])
    assert found["decrypted"] == values
    assert [one.decrypt(base64.b64decode(m)).decode() for m in found["encrypted"]] == values
