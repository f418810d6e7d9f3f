"""TLS proxies on loopback ports that lead from an RDS host name to its PostgreSQL server.

PyPI's PostgreSQL is built without TLS. So a proxy listens before each server's socket, presents the
certificate of the name that the client asks for (SNI), and refuses connections without TLS, as
`rds.force_ssl=1` does.
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.replication_network import listener

SSL_REQUEST: Final = 80877103
GSS_REQUEST: Final = 80877104
CHUNK: Final = 65536

Route = Callable[[str], Path | None]  # host → socket of its server


class TlsProxy:
    """Serves from a thread of this process, until it is closed: functions on a port that is free, the
    databases themselves at the address that they were told."""

    def __init__(self, authority: CertificateAuthority, route: Route, address: str) -> None:
        self._authority, self._route = authority, route
        self._loop = asyncio.new_event_loop()
        self._servers = [self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))]
        self.port: int = self._servers[0].sockets[0].getsockname()[1]
        if sock := listener(address):  # without it all works but subscriptions, and `status` says so
            self._servers.append(self._loop.run_until_complete(asyncio.start_server(self._serve, sock=sock)))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        for server in self._servers:
            server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                await self._answer(reader, writer)
            finally:
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        if code == GSS_REQUEST:
            writer.write(b"N")
            length, code = struct.unpack("!ii", await reader.readexactly(8))
        if code != SSL_REQUEST:
            parameters = await reader.readexactly(length - 8)
            return await _refuse(writer, "28000", _unencrypted(parameters))
        writer.write(b"S")
        asked: list[str] = []
        await writer.start_tls(self._by_name(asked))
        server = self._route(asked[0]) if asked else None
        if server is None:
            await reader.readexactly(8)
            return await _refuse(
                writer, "08001", f"no database {asked[0] if asked else 'without a name'} here"
            )
        there, back = await asyncio.open_unix_connection(str(server))
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
        return None

    def _by_name(self, asked: list[str]) -> ssl.SSLContext:
        """A context that becomes the one of the name; what was asked for goes into the list."""

        def chosen(shown: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if name is None or self._route(name) is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            asked.append(name)
            shown.context = self._authority.context(name)
            return None

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sni_callback = chosen  # pyright: ignore[reportAttributeAccessIssue] - its stub wants a socket
        return context


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    finally:
        with suppress(OSError):
            target.close()


async def _refuse(writer: asyncio.StreamWriter, code: str, text: str) -> None:
    """PostgreSQL's own error message (protocol 3.0, ErrorResponse)."""
    fields = "".join(f"{k}{v}\0" for k, v in {"S": "FATAL", "V": "FATAL", "C": code, "M": text}.items())
    body = fields.encode() + b"\0"
    writer.write(b"E" + struct.pack("!i", len(body) + 4) + body)
    await writer.drain()


def _unencrypted(parameters: bytes) -> str:
    words = parameters.split(b"\0")
    startup = {k.decode(): v.decode() for k, v in zip(words[::2], words[1::2], strict=False)}
    user, database = startup.get("user", ""), startup.get("database", startup.get("user", ""))
    return f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "{database}", no encryption'
