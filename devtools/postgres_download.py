"""Downloads the PostgreSQL server that the sandbox runs, once for all sandboxes.

The archives are those that `io.zonky.test.postgres` publishes on Maven Central, unchanged (ADR 23).
"""

import fcntl
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Final

from devtools.downloads import DownloadError, UnreachableError, download
from devtools.paths import ToolchainError, make_folder, say, tools
from sandbox.data_plane.postgres_programs import VERSION, server_folder

MAVEN: Final = "https://repo.maven.apache.org/maven2"  # or what TENANTRY_MAVEN_URL names: a mirror of it
REACH_SECONDS: Final = 60
RELEASE: Final = f"{VERSION}.0"
# SHA-256 of each archive, as Maven Central served it on 2026-11-29; its own SHA-1 agrees.
ARCHIVES: Final = {
    "Linux x86_64": ("linux-amd64", "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d"),
    "Linux aarch64": ("linux-arm64v8", "8b042e0ea418b1927d95399207950da0734d27fe01e29503ade3bdc464ad4c2b"),
    "Darwin x86_64": ("darwin-amd64", "d464ff178e9860ba204662ac23fa547504b7fd392392ff2fb92e3fd73b5bdb64"),
    "Darwin arm64": ("darwin-arm64v8", "a1c2786acb0c398f9b2d76806fc52f5dc8b222cbc8e9383a9b9702084daaf3a5"),
}
OR_WITHOUT: Final = "or set SANDBOX_POSTGRES=0 to do without databases"


class PostgresError(ToolchainError):
    """There is no PostgreSQL server and none can be had."""


def ensure() -> None:
    """Have the server in `.tools/postgres`; raises `PostgresError`."""
    target = server_folder()
    if target.exists():
        return
    make_folder(tools())
    target.parent.mkdir(exist_ok=True)
    with (target.parent / "lock").open("w") as lock:  # one fetches it, whoever else comes waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _fetch(target)


def _fetch(target: Path) -> None:
    machine = f"{os.uname().sysname} {os.uname().machine}"
    if machine not in ARCHIVES:
        raise PostgresError(
            f"there is no PostgreSQL {VERSION} for {machine}: unpack one with bin, lib and share at {target},"
            f" {OR_WITHOUT}"
        )
    platform, digest = ARCHIVES[machine]
    archive, new = target.with_name(f"{VERSION}.jar"), target.with_name(f"{VERSION}.new")
    try:
        download(_url(platform), archive, digest, f"PostgreSQL {VERSION}", REACH_SECONDS)
        shutil.rmtree(new, ignore_errors=True)
        _unpack(archive, new)
        new.replace(target)
        say(f"PostgreSQL {VERSION} is in {target}")
    except (UnreachableError, DownloadError) as wrong:
        raise PostgresError(
            f"PostgreSQL {VERSION}, for the sandbox's databases, cannot be fetched: {wrong}; try again, or"
            f" name a mirror of Maven Central in TENANTRY_MAVEN_URL, {OR_WITHOUT}"
        ) from None
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as wrong:
        raise PostgresError(f"PostgreSQL {VERSION} cannot be unpacked in {target.parent}: {wrong}") from None
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(new, ignore_errors=True)


def _url(platform: str) -> str:
    base = os.environ.get("TENANTRY_MAVEN_URL", MAVEN).rstrip("/")
    name = f"embedded-postgres-binaries-{platform}"
    return f"{base}/io/zonky/test/postgres/{name}/{RELEASE}/{name}-{RELEASE}.jar"


def _unpack(archive: Path, folder: Path) -> None:
    """The one `.txz` in the archive; its programs' own version of the libraries comes with it."""
    with zipfile.ZipFile(archive) as jar:
        inner = next(name for name in jar.namelist() if name.endswith(".txz"))
        with tarfile.open(fileobj=io.BytesIO(jar.read(inner)), mode="r:xz") as source:
            source.extractall(folder, filter="tar")
