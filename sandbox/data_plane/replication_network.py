"""Lets one database reach another by its AWS host name, as a subscription does.

A server's libpq resolves no name: it is given one address (`PGHOSTADDR`) for all of them, at which the TLS
proxy listens on PostgreSQL's port, and it still verifies the certificate of the name. So a subscription's
connection string is the one that it would be on RDS.
"""

import fcntl
import hashlib
import socket
from pathlib import Path
from typing import Final

from sandbox.data_plane.paths import DataPlaneFolders
from sandbox.files import write

PORT: Final = 5432
TRIES: Final = 16
# A move keeps a slot, a sender and a worker busy at either end, the first copy two workers more. RDS allows
# 20 slots too (RDS user guide, "Parameters of RDS for PostgreSQL", 2026-11). Between two runs nobody
# listens; a server then asks once a second.
SETTINGS: Final = {
    "max_worker_processes": "16",
    "max_logical_replication_workers": "12",
    "max_replication_slots": "20",
    "max_wal_senders": "20",
    "wal_retrieve_retry_interval": "1s",
}


def environment(plane: DataPlaneFolders) -> dict[str, str]:
    """What a server's process must be started with."""
    return {"PGHOSTADDR": address(plane)}


def address(plane: DataPlaneFolders) -> str:
    """A loopback address of this sandbox's own, chosen once: running servers have been told of it."""
    record = plane.folder / "address"
    plane.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (plane.folder / "address.lock").open("w") as lock:  # one chooses, whoever else comes waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            write(record, _free(str(plane.home)))
    return record.read_text(encoding="utf-8")


def listener(host: str) -> socket.socket | None:
    """A socket on PostgreSQL's port, which the processes of one sandbox share; None where it is another's."""
    return _bound(host, socket.SO_REUSEADDR, socket.SO_REUSEPORT)


def shared(host: str) -> bool:
    """Whether a front listens there, or could."""
    sock = listener(host)
    if sock:
        sock.close()
    return sock is not None


def _bound(host: str, *options: int) -> socket.socket | None:
    sock = socket.socket()
    try:
        for option in options:
            sock.setsockopt(socket.SOL_SOCKET, option, 1)
        sock.bind((host, PORT))
    except OSError:
        sock.close()
        return None
    return sock


def _free(name: str) -> str:
    """The first of a name's addresses where nobody listens; where that is none, as beside a PostgreSQL that
    listens everywhere, the first, and no subscription will work."""
    hosts = [_address(f"{name} {n}") for n in range(TRIES)]
    for host in hosts:
        if sock := _bound(host, socket.SO_REUSEADDR):
            sock.close()
            return host
    return hosts[0]


def _address(name: str) -> str:
    """In 127.0.0.0/8, and not in 127.0.0.0/16, where others have theirs (127.0.0.53, 127.0.1.1)."""
    a, b, c = (byte % 254 + 1 for byte in hashlib.sha256(name.encode()).digest()[:3])
    return f"127.{a}.{b}.{c}"


def roots(plane: DataPlaneFolders) -> Path:
    """Whom the servers trust (`ssl_ca_file`), where their user can read it."""
    from sandbox.data_plane.certificate_authority import CertificateAuthority  # noqa: PLC0415 - slow to import, and asked for once

    shown = plane.servers / "ca-cert.pem"
    if not shown.exists():
        write(shown, CertificateAuthority(plane.authority).pem)
    return shown
