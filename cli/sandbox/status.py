"""What `tenantry sandbox status` does: shows what exists in the sandbox, and which of it runs."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cli.output import print_json, print_table
from devtools.locks import locks
from devtools.paths import sandbox_dir
from sandbox.data_plane.postgres_cluster import PostgresCluster
from sandbox.data_plane.replication_network import PORT, address, shared
from sandbox.data_plane.service import Service

BESIDE = "of no stack, made by functions"
HEADS = ("STACK", "INSTANCE", "STATE", "PID", "MB", "SOCKET")


def status(stack: str | None = None, *, as_json: bool = False) -> int:
    """Show what exists and what runs; 1 where something runs that no stack knows of."""
    home = sandbox_dir()
    service = Service(home)
    counts = {name: count for name, count in _counts(service).items() if stack in (None, name)}
    unknown = service.unknown()
    if as_json:
        print_json(_data(counts, _rows(service, stack), home, stack, unknown))
    else:
        _show(service, counts, home, stack, unknown)
    return 1 if any(c.pid for c in unknown) else 0


def _data(
    counts: Mapping[str, int],
    rows: Sequence[tuple[str, ...]],
    home: Path,
    stack: str | None,
    unknown: Sequence[PostgresCluster],
) -> dict[str, Any]:
    heads = [head.lower() for head in HEADS]
    updates = [
        {"stack": path.parent.name, "pid": pid, "runs": alive}
        for path, pid, alive in locks(home, stack or "*")
    ]
    return {
        "resources": dict(counts),
        "updates": updates,
        "databases": [dict(zip(heads, row, strict=True)) for row in rows],
        "unknown": [{"folder": str(c.folder), "pid": c.pid} for c in unknown],
    }


def _show(
    service: Service,
    counts: Mapping[str, int],
    home: Path,
    stack: str | None,
    unknown: Sequence[PostgresCluster],
) -> None:
    for name, count in counts.items():
        print(f"{name or BESIDE}: {count} resources in the cloud")
    if not counts:
        print(f"nothing exists; `make up STACK={stack or 'dev'}` brings up the stack")
    for path, pid, alive in locks(home, stack or "*"):
        what = f"runs (pid {pid})" if alive else f"was killed (pid {pid}); the next run undoes it"
        print(f"{path.parent.name}: an update {what}")
    if rows := _rows(service, stack):
        print()
        print_table(HEADS, rows)
    if service.plane.exists and not shared(host := address(service.plane)):
        print(f"\nport {PORT} of {host} is another program's: no database can subscribe to one")
    for cluster in unknown:
        what = f"runs (pid {cluster.pid})" if cluster.pid else "does not run"
        print(f"\n{cluster.folder}: a database that no stack knows of {what}; `make up` sweeps it away")


def _counts(service: Service) -> Counter[str]:
    if not service.plane.cloud.exists():
        return Counter()
    with closing(sqlite3.connect(service.plane.cloud)) as db:
        urns = [u for (u,) in db.execute("SELECT urn FROM resources")]
    return Counter(u.split("::", maxsplit=1)[0].removeprefix("urn:pulumi:") for u in sorted(urns))


def _rows(service: Service, stack: str | None) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for instance in service.instances.known():
        if stack in (None, instance.stack):
            cluster = service.instances.cluster(instance) if service.plane.exists else None
            pid = cluster.pid if cluster else None
            state = "runs" if pid else "stopped" if cluster and cluster.made else "a record only"
            memory = f"{_megabytes(pid):.0f}" if pid else ""
            socket = str(cluster.folder) if cluster and pid else ""
            found.append((instance.stack, instance.name, state, str(pid or ""), memory, socket))
    return found


def _megabytes(pid: int) -> float:
    """Memory of a server and its children, shared pages counted by share."""
    total = 0
    for one in (pid, *_children(pid)):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    except OSError:
        return []
    return [int(word) for word in text.split()]
