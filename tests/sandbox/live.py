"""The dev stack's cloud with AWS's APIs before it, and boto3 clients that sign as its roles."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import FILE, Row, Store
from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.endpoint.access import ROLE_POLICY
from sandbox.data_plane.endpoint.server import Endpoint, Server
from sandbox.data_plane.endpoint.sessions import ROLE, session_of
from sandbox.data_plane.secret_store import SecretStore
from tests.waiting import LIMIT

ACCOUNT, REGION = "111122223333", "eu-west-1"
ONCE = Config(retries={"max_attempts": 1, "mode": "standard"}, connect_timeout=LIMIT, read_timeout=LIMIT)
Statements = list[dict[str, Any]]
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def cloud_of_dev(deployed: Path, copy: Path) -> Path:
    """The cloud of a deployed stack in one file, with what still is in the log of its changes."""
    there = deployed / "sandbox" / FILE
    with closing(sqlite3.connect(there)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    return copy


@dataclass
class Live:
    """A cloud of one's own to call, and to take guards away from."""

    home: Path
    server: Server
    vault: SecretStore
    store: Store

    @property
    def sessions(self) -> Any:
        return self.server.endpoint.sessions

    def row(self, kind: str, has: str) -> Row:
        """The one resource of a type whose URN ends so."""
        found = [r for r in self.store.all(kind) if r.urn.endswith(has)]
        assert len(found) == 1, f"{kind} …{has}: {[r.urn for r in self.store.all(kind)]}"
        return found[0]

    def role(self, name: str) -> Row:
        found = self.store.get(ROLE, f"tenantry-dev-{name}", "-")
        assert found, name
        return found

    def client(self, service: str, role: str, region: str = REGION, **session: Any) -> Any:
        """A client that calls as a role of the cell, as if it had been assumed without a question."""
        given = self.sessions.give(session_of(self.role(role), ACCOUNT, "test", **session), 900)
        return self.signed(service, given.access_key, given.secret_key, given.token, region)

    def signed(
        self, service: str, key: str, secret: str, token: str, region: str = REGION, config: Config = ONCE
    ) -> Any:
        return Session().client(
            service,
            region_name=region,
            endpoint_url=self.server.url,
            verify=str(self.home / "authority" / "root.pem"),
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=config,
        )

    def administrator(self, service: str) -> Any:
        """A client of a role that this account's administrators have: no boundary, and all actions."""
        name = "tenantry-dev-administrator"
        if not self.store.get(ROLE, name, "-"):
            cloud, urn = Cloud(self.store, {}), "urn:pulumi:dev::tenantry"
            itself = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
            trust = json.dumps({"Version": "2012-10-17", "Statement": [itself]})
            cloud.create(ROLE, f"{urn}::{ROLE}::administrator", {"name": name, "assumeRolePolicy": trust})
            policy = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING]})
            cloud.create(ROLE_POLICY, f"{urn}::{ROLE_POLICY}::all", {"role": name, "policy": policy})
        return self.client(service, "administrator")

    def tenant(self, service: str, tenant: str, region: str = REGION) -> Any:
        """As the monolith becomes a tenant: by STS, with the session tag."""
        found = self.become(tenant, tenant)
        return self.signed(
            service, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region
        )

    def become(
        self, tenant: str, message: str | None, role: str = "monolith-task", **more: Any
    ) -> dict[str, Any]:
        tags = {"Tags": [{"Key": "tenant", "Value": message}]} if message else {}
        arn = self.role(f"tenant-{tenant}").outputs["arn"]
        answer = self.client("sts", role).assume_role(RoleArn=arn, RoleSessionName="test", **tags, **more)
        return answer["Credentials"]

    def edit(self, row: Row, key: str, change: Callable[[Statements], Statements]) -> None:
        """Change the statements of a document that a resource holds."""
        document = json.loads(row.inputs[key])
        document["Statement"] = change(document["Statement"])
        inputs = {**row.inputs, key: json.dumps(document)}
        with closing(sqlite3.connect(self.home / FILE)) as db, db:
            done = db.execute(
                "UPDATE resources SET inputs = ? WHERE type = ? AND id = ?",
                (json.dumps(inputs), row.type, row.id),
            )
            assert done.rowcount == 1

    def widen(self, role: str) -> None:
        """As if the role's own policy had been lost to an attacker: it may do everything."""
        rows = [r for r in self.store.all(ROLE_POLICY) if r.inputs["role"] == f"tenantry-dev-{role}"]
        assert len(rows) == 1
        self.edit(rows[0], "policy", lambda _: [ANYTHING])


def running(cloud: Path, home: Path) -> Iterator[Live]:
    shutil.copy2(cloud, home / FILE)
    vault = SecretStore(home / "vault.sqlite")
    server = Server(Endpoint(home / FILE, vault), CertificateAuthority(home / "authority"))
    try:
        yield Live(home, server, vault, Store(home / FILE, ACCOUNT, REGION))
    finally:
        server.close()


def alone(home: Path) -> Iterator[Live]:
    """A cloud with nothing in it."""
    empty = home / "empty" / FILE
    Store(empty, ACCOUNT, REGION).close()
    yield from running(empty, home)


def refused(call: Callable[[], Any]) -> str:
    """The words with which a call was refused; nothing where it went through."""
    try:
        call()
    except ClientError as wrong:
        error = wrong.response["Error"]
        assert error["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError"), error
        return str(error.get("Message", ""))
    return ""
