"""One HTTPS request to a server that a tenant names, and that must not be one of ours (SSRF).

A tenant chooses the address, so the address may be an attack: on the metadata service, on an internal load
balancer, or by a name that resolves differently the second time. The name is therefore resolved once, each
of its addresses must be public, and the connection goes to the address that was checked.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

TIMEOUT: Final = 10.0  # seconds, for the connection and for each read
PORT: Final = 443  # the only one that leaves the network

Endpoint: TypeAlias = tuple[str, int]  # address and port
Resolve: TypeAlias = Callable[[str], list[Endpoint]]


class DeliveryError(RuntimeError):
    """The delivery did not succeed; the text says why and holds neither body nor key."""


class _Pinned(http.client.HTTPSConnection):
    """Connects to `address` and nothing else, under the certificate of `host`."""

    def __init__(self, host: str, address: Endpoint, context: ssl.SSLContext) -> None:
        super().__init__(host, address[1], timeout=TIMEOUT, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        plain = socket.create_connection(self._address, TIMEOUT)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    resolve: Resolve | None = None,
    context: ssl.SSLContext | None = None,
) -> int:
    """Send `body`; returns the status, which is 2xx, or raises `DeliveryError`. Follows no redirect."""
    host, path = _target(url)
    endpoint = (resolve or public_endpoints)(host)[0]
    connection = _Pinned(host, endpoint, context or ssl.create_default_context())
    try:
        connection.request("POST", path, body, dict(headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as failure:
        raise DeliveryError(f"{host} did not answer: {type(failure).__name__}") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise DeliveryError(f"{host} answered {status}")
    return status


def _target(url: str) -> tuple[str, str]:
    """Host and path; everything but https on its own port to a name is refused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DeliveryError("the webhook's address is not a URL") from None
    plain = parts.scheme == "https" and port in (None, PORT) and not parts.username and not parts.password
    if not plain or not parts.hostname:
        raise DeliveryError(f"the webhook's address must read https://host/path, on port {PORT}")
    query = f"?{parts.query}" if parts.query else ""
    return parts.hostname, f"{parts.path or '/'}{query}"


def public_endpoints(host: str) -> list[Endpoint]:
    """Where to reach `host`, if all its addresses are public; IPv4, which is all that leaves the network."""
    try:
        found = socket.getaddrinfo(host, PORT, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DeliveryError(f"{host} has no address") from None
    addresses = sorted({str(sockaddr[0]) for *_, sockaddr in found})
    inside = [a for a in addresses if not _public(a)]
    if inside or not addresses:
        raise DeliveryError(f"{host} is not a public server")
    return [(a, PORT) for a in addresses]


def _public(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_global and not parsed.is_multicast
