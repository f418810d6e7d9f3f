"""Point-in-time restores: a copy of the template, with the source's log replayed to the moment.

Every server begins as a copy of the template and archives its log from its first start on
(`postgres_cluster.py`). So the template is the base backup of all of them, and a restore takes longer the
more was ever written. The archive is copied too, so that a restored server can be restored itself, also
without its source.
"""

import datetime
import shutil
import time
from collections.abc import Mapping
from typing import Final

from sandbox.data_plane.paths import DataPlaneError, as_user, server_user
from sandbox.data_plane.postgres_cluster import PATIENCE, PostgresCluster

REPLAYING: Final = 600  # seconds that it may take
# No session before it is done, so that no setting need be as large as it was at the source.
RECOVERY: Final = {"recovery_target_action": "'promote'", "hot_standby": "off"}


def restore(
    cluster: PostgresCluster,
    source: PostgresCluster,
    settings: Mapping[str, str],
    until: datetime.datetime | None,
) -> None:
    """Make a server and start it as its source was then, or is now; raises `DataPlaneError`."""
    cluster.create(settings)
    _complete(source)
    copied = as_user(
        ["cp", "-al", f"{source.archive}/.", str(cluster.archive)], cluster.folder, server_user()
    )
    if copied.returncode:
        raise DataPlaneError(f"the log of {source.folder.name} cannot be taken over: {copied.stderr.strip()}")
    replayed = RECOVERY | {"restore_command": f"""'cp "{cluster.archive}/%f" "%p"'"""}
    if until:
        replayed["recovery_target_time"] = f"'{until.isoformat(sep=' ')}'"
    signal, conf = cluster.data / "recovery.signal", cluster.data / "postgresql.auto.conf"
    before = conf.read_text(encoding="utf-8")
    conf.write_text(before + "".join(f"{k} = {v}\n" for k, v in replayed.items()), encoding="utf-8")
    signal.touch()
    if user := server_user():
        shutil.chown(signal, user)
    cluster.start()
    _await(cluster)
    conf.write_text(before, encoding="utf-8")  # a replica that copies these files is not to stop there


def _await(cluster: PostgresCluster) -> None:
    """It has started before it has replayed all that it was told to."""
    deadline = time.monotonic() + REPLAYING
    while not cluster.open:
        if cluster.pid is None or time.monotonic() > deadline:
            raise DataPlaneError(f"{cluster.folder.name} is not restored: {cluster.last_words}")
        time.sleep(0.02)


def _complete(source: PostgresCluster) -> None:
    """See that all until now is archived. A transaction ends the log: PostgreSQL looks for one that is later
    than the moment it is to stop at."""
    source.run("SELECT pg_current_xact_id()")
    ((name,),) = source.run("SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + PATIENCE
    while not (source.archive / name).exists():
        if time.monotonic() > deadline:
            raise DataPlaneError(f"PostgreSQL of {source.folder.name} does not archive its log ({name})")
        time.sleep(0.02)
