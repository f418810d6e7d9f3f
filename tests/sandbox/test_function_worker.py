"""The network of a function's process: its databases, and nothing else."""

import socket

import pytest

from sandbox.data_plane.function_worker import LOOPBACK, network

DATABASE = "tenantry-dev-shard-a.0123456789ab.eu-west-1.rds.amazonaws.com"


@pytest.mark.parametrize("host", [DATABASE, DATABASE.encode()])
def test_a_database_is_reached_by_its_port(host: bytes | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_DATABASE_PORT", "6000")
    assert [address[-1] for address in network(host, 5432)] == [(LOOPBACK, 6000)]


@pytest.mark.parametrize(
    ("host", "port"), [(DATABASE, None), (DATABASE, 22), ("example.com", 5432), (None, 5432)]
)
def test_anything_else_is_not_reached(host: str | None, port: int | None) -> None:
    with pytest.raises(socket.gaierror, match="is not reached from this function's network"):
        network(host, port)
