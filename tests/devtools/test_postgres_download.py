"""How the sandbox's PostgreSQL is fetched, and what is said where it cannot be had."""

import hashlib
import io
import os
import tarfile
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from devtools import postgres_download
from devtools.postgres_download import PostgresError, ensure
from sandbox.data_plane.postgres_programs import VERSION


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's word
        """Say nothing."""


def jar() -> bytes:
    """An archive as Maven Central has it, with one program and a link in it."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as packed:
        program = tarfile.TarInfo("bin/postgres")
        program.mode, program.size = 0o755, 10
        packed.addfile(program, io.BytesIO(b"#!/bin/sh\n"))
        link = tarfile.TarInfo("lib/libpq.so")
        link.type, link.linkname = tarfile.SYMTYPE, "libpq.so.5"
        packed.addfile(link)
    with zipfile.ZipFile(outer, "w") as packed_again:
        packed_again.writestr("META-INF/MANIFEST.MF", "")
        packed_again.writestr("postgres-linux-x86_64.txz", inner.getvalue())
    return outer.getvalue()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A mirror of Maven Central, nothing fetched yet, and an archive whose digest is pinned; its file."""
    monkeypatch.setenv("TENANTRY_TOOLS_DIR", str(tmp_path / "tools"))
    machine = f"{os.uname().sysname} {os.uname().machine}"
    monkeypatch.setitem(postgres_download.ARCHIVES, machine, ("here", hashlib.sha256(jar()).hexdigest()))
    name = "embedded-postgres-binaries-here"
    file = tmp_path / "maven" / "io/zonky/test/postgres" / name / f"{VERSION}.0" / f"{name}-{VERSION}.0.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(jar())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "maven"))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("TENANTRY_MAVEN_URL", f"http://127.0.0.1:{server.server_port}/")
        yield file
        server.shutdown()


def fetched(tmp_path: Path) -> list[str]:
    """What is in the folder of servers, but for its lock."""
    return sorted(p.name for p in (tmp_path / "tools" / "postgres").iterdir() if p.name != "lock")


def test_it_is_fetched_once_from_a_mirror(mirror: Path, tmp_path: Path) -> None:
    ensure()
    server = tmp_path / "tools" / "postgres" / VERSION
    assert os.access(server / "bin" / "postgres", os.X_OK)
    assert (server / "lib" / "libpq.so").readlink() == Path("libpq.so.5")
    mirror.unlink()
    ensure()
    assert fetched(tmp_path) == [VERSION]


def test_another_archive_than_the_pinned_one_is_thrown_away(mirror: Path, tmp_path: Path) -> None:
    mirror.write_bytes(jar() + b"more")
    with pytest.raises(PostgresError, match=r"is not the archive whose SHA-256 .* TENANTRY_MAVEN_URL"):
        ensure()
    assert fetched(tmp_path) == []


def test_where_nothing_answers_it_is_said_what_to_do(mirror: Path, tmp_path: Path) -> None:
    mirror.unlink()
    with pytest.raises(PostgresError, match=r"does not answer \(HTTP Error 404.*SANDBOX_POSTGRES=0"):
        ensure()
    assert fetched(tmp_path) == []


def test_a_pinned_archive_that_cannot_be_unpacked_leaves_nothing(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = f"{os.uname().sysname} {os.uname().machine}"
    mirror.write_bytes(b"no archive")
    digest = hashlib.sha256(b"no archive").hexdigest()
    monkeypatch.setitem(postgres_download.ARCHIVES, machine, ("here", digest))
    with pytest.raises(PostgresError, match=r"cannot be unpacked in .*: File is not a zip file"):
        ensure()
    assert fetched(tmp_path) == []


def test_a_machine_without_an_archive_is_named(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del mirror
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(sysname="Plan9", machine="mips"))
    with pytest.raises(PostgresError, match=r"no PostgreSQL .* for Plan9 mips: unpack one"):
        ensure()
