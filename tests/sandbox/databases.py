"""A sandbox with nothing but databases in it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pg8000.native import Connection

from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import FILE, Row, Store
from sandbox.data_plane.instances import INSTANCE, PARAMETERS, Instance
from sandbox.data_plane.service import Service

ACCOUNT, REGION = "111122223333", "eu-west-1"
PASSWORD = "of-the-test"
GIVEN: dict[str, Any] = {
    "engine": "postgres",
    "username": "platform",
    "dbName": "tenants",
    "password": PASSWORD,
}
GIVEN |= {"backupRetentionPeriod": 7}  # without it nothing can read from it
LOGICAL = [{"name": "rds.force_ssl", "value": "1"}, {"name": "rds.logical_replication", "value": "1"}]


class Place:
    """A sandbox with nothing but databases in it."""

    def __init__(self, home: Path) -> None:
        self.home, self.service = home, Service(home)
        self.store = Store(home / FILE, ACCOUNT, REGION)
        self.cloud = Cloud(self.store, {})
        inputs = {"name": "pg", "family": "postgres17", "parameters": LOGICAL}
        self.cloud.create(PARAMETERS, "urn:pulumi:dev::p::t::pg", inputs)

    def instance(self, name: str, **inputs: Any) -> Instance:
        """One that runs."""
        row = self.row(name, **inputs)
        self.service.instance_created(row, self.store)
        return Instance.of(row, ACCOUNT, REGION)

    def row(self, name: str, **inputs: Any) -> Row:
        urn = f"urn:pulumi:dev::p::{INSTANCE}::{name}"
        given = {"identifier": name, "parameterGroupName": "pg", "instanceClass": "db.t4g.medium", **inputs}
        made, outputs = self.cloud.create(INSTANCE, urn, given)
        return Row(INSTANCE, made, urn, given, outputs)

    def login(self, instance: Instance, **more: Any) -> Connection:
        """As anybody would: by the address, with TLS."""
        trusted = ssl.create_default_context(cafile=str(self.service.authority.root))
        trusted.check_hostname = False
        given = {"password": PASSWORD, "database": "tenants", **more}
        front = self.service.tls_proxy
        return Connection(
            "platform", host="127.0.0.1", port=front.port, ssl_context=_named(trusted, instance.host), **given
        )


def _named(context: ssl.SSLContext, host: str) -> Any:
    """What resolves the name for a client: it asks for the address that AWS gave, and verifies that."""

    class Named:
        def wrap_socket(self, sock: Any, **_: Any) -> Any:
            context.check_hostname = True
            return context.wrap_socket(sock, server_hostname=host)

    return Named()


@contextmanager
def placed(home: Path) -> Iterator[Place]:
    """Gone with its servers at the end."""
    made = Place(home)
    try:
        yield made
    finally:
        made.service.remove_servers()
        made.service.close()
