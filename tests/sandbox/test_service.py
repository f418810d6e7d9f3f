"""A service of the sandbox ends what it started, whatever that is called."""

from functools import cached_property
from pathlib import Path
from typing import get_type_hints

from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.endpoint.server import Server
from sandbox.data_plane.functions import Functions
from sandbox.data_plane.service import Service
from sandbox.data_plane.tls_proxy import TlsProxy

NAMES = {c.__name__: c for c in (CertificateAuthority, Server, Functions, TlsProxy)}


class Started:
    """Something that runs until it is closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_everything_that_was_started_is_closed(tmp_path: Path) -> None:
    service = Service(tmp_path)
    parts = {k: v.func for k, v in vars(Service).items() if isinstance(v, cached_property)}
    to_close = {
        name: Started()
        for name, make in parts.items()
        if hasattr(get_type_hints(make, localns=NAMES)["return"], "close")
    }
    assert len(to_close) >= 4
    vars(service).update(to_close)
    service.close()
    assert [name for name, part in to_close.items() if not part.closed] == []
    assert to_close.keys() & vars(service).keys() == set()
