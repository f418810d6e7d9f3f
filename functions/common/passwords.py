"""Generates passwords, which are kept in Secrets Manager and never sent to the server in plain text."""

import base64
import secrets
import string
from typing import Final

import scramp

LENGTH: Final = 48  # of 62 characters: 285 bits, and nothing that a connection string would have to escape
ALPHABET: Final = string.ascii_letters + string.digits
ITERATIONS: Final = 4096  # PostgreSQL's own default


def new_password() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def verifier(password: str) -> str:
    """What PostgreSQL keeps of a password. The server logs DDL, so the password itself is never sent."""
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    salt, stored, server, rounds = mechanism.make_auth_info(password, iteration_count=ITERATIONS)
    return f"SCRAM-SHA-256${rounds}:{_b64(salt)}${_b64(stored)}:{_b64(server)}"


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
