"""As much of pg8000's native interface as is used (pg8000 1.31)."""

import ssl
from collections.abc import Iterable
from typing import Any, Protocol

class _Out(Protocol):
    def write(self, data: bytes, /) -> object: ...

class Connection:
    def __init__(
        self,
        user: str,
        host: str = ...,
        database: str | None = ...,
        port: int = ...,
        password: str | None = ...,
        source_address: tuple[str, int] | None = ...,
        unix_sock: str | None = ...,
        ssl_context: ssl.SSLContext | bool | None = ...,
        timeout: float | None = ...,
        tcp_keepalive: bool = ...,
        application_name: str | None = ...,
        **more: Any,
    ) -> None: ...
    def run(
        self, sql: str, stream: _Out | Iterable[bytes] | None = ..., types: Any = ..., **params: Any
    ) -> list[list[Any]] | None: ...
    def close(self) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

def identifier(sql: str) -> str: ...
def literal(value: object) -> str: ...
