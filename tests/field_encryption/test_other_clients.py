"""AWS's own clients read what services write with this library, and the other way round."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.common.protected_columns import AFTER_ID, header
from tests import maven, npm
from tests.field_encryption.keys import KEY, FakeKms, cipher, vectors

HERE = Path(__file__).parent / "node"
JAVA = Path(__file__).parent / "java"


def asked(encrypt: list[str], decrypt: list[bytes]) -> dict[str, Any]:
    found = vectors()
    request = {
        "folder": str(npm.installed(HERE)),
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


def asked_java(encrypt: list[str], decrypt: list[bytes]) -> list[bytes]:
    """What the client makes of each, in their order."""
    found = vectors()
    wrapped = base64.b64encode(b"wrapped").decode()
    given = [("encrypt", text.encode()) for text in encrypt] + [("decrypt", message) for message in decrypt]
    lines = [f"{word} {base64.b64encode(value).decode()}" for word, value in given]
    run = subprocess.run(
        ["java", "-cp", str(maven.installed(JAVA) / "*"), str(JAVA / "Messages.java")],
        input="\n".join([found["kmsKey"], "acme-pay", wrapped, found["dataKey"], *lines]) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [base64.b64decode(line) for line in run.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(bool(maven.why_not()), reason=maven.why_not())
def test_the_client_for_java_reads_and_writes_the_same() -> None:
    one = cipher(FakeKms(base64.b64decode(vectors()["dataKey"])))
    values = ["", "4111111111111111", "Zoë 漢字 😀", "x" * 4096, "y" * 9000]
    made = asked_java(values, [one.encrypt(value.encode()) for value in values])
    written, read = made[: len(values)], made[len(values) :]
    assert [value.decode() for value in read] == values
    assert [one.decrypt(message).decode() for message in written] == values
    assert all(message[AFTER_ID - 1 :].startswith(header("acme-pay", KEY)) for message in written)
