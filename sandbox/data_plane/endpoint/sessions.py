"""Credentials of roles: issued, found by their access key, verified by a signature."""

import json
import secrets
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.secret_store import SecretStore

ROLE: Final = "aws:iam/role:Role"
LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Session:
    """Somebody who calls as a role. `context` are condition keys that AWS adds, as for a function's role."""

    account: str
    role: str  # its name
    role_arn: str
    role_id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    policies: Sequence[str] = ()  # session policies
    context: Mapping[str, str] = field(default_factory=dict[str, str])
    vpc: str | None = None  # where it stands, and whose endpoints it passes

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.name}"

    @property
    def user_id(self) -> str:
        return f"{self.role_id}:{self.name}"


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str
    token: str
    ends: float  # seconds since 1970

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }


def session_of(row: Row, account: str, name: str, **more: Any) -> Session:
    """A session of the role in this row, before anything is asked about who may have it."""
    return Session(
        account, str(row.outputs["name"]), str(row.outputs["arn"]), str(row.outputs["uniqueId"]), name, **more
    )


class Sessions:
    def __init__(self, vault: SecretStore) -> None:
        self._vault = vault

    def give(self, session: Session, seconds: int) -> Credentials:
        given = Credentials(
            "ASIA" + _random(string.ascii_uppercase + "234567", 16),
            _random(LETTERS, 40),
            _random(LETTERS, 120),
            time.time() + seconds,
        )
        content = json.dumps({"session": asdict(session), "credentials": asdict(given)})
        with self._vault.change() as db:
            db.execute("DELETE FROM sessions WHERE ends < ?", (time.time() - 3600,))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (given.access_key, content, given.ends))
        return given

    def find(self, access_key: str) -> tuple[Session, Credentials] | None:
        found = self._vault.rows("SELECT content FROM sessions WHERE access_key = ?", access_key)
        if not found:
            return None
        content = json.loads(found[0][0])
        return Session(**content["session"]), Credentials(**content["credentials"])


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
