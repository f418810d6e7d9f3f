"""The server of the endpoint: HTTPS on loopback; each call is signed, parsed, authorized and answered."""

import logging
import ssl
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from sandbox.cloud.store import Store
from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.endpoint import wire
from sandbox.data_plane.endpoint.access import Access, Call, Judge, judge
from sandbox.data_plane.endpoint.databases import Databases
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.key_lifecycle import KeyLifecycle
from sandbox.data_plane.endpoint.parameters import Parameters
from sandbox.data_plane.endpoint.queues import Queues, Topics
from sandbox.data_plane.endpoint.secrets_manager import SecretsManager
from sandbox.data_plane.endpoint.sessions import Sessions
from sandbox.data_plane.endpoint.signing import Http, Signed, verify
from sandbox.data_plane.endpoint.state_machines import StepFunctions
from sandbox.data_plane.endpoint.tokens import Tokens
from sandbox.data_plane.endpoint.uploads import Uploads
from sandbox.data_plane.executions import Launch, launch
from sandbox.data_plane.secret_store import SecretStore

HOST: Final = "127.0.0.1"
UNSIGNED: Final = "sts"  # whose words are used before it is known who is asked
log: Final = logging.getLogger(__name__)


class Endpoint:
    """AWS's APIs over one sandbox's cloud. `judged` is where a test takes a guard away, and `launched` where
    it sees which executions of state machines begin; `propagates` as of `Access`.
    """

    def __init__(
        self,
        cloud: Path,
        vault: SecretStore,
        judged: Judge = judge,
        launched: Launch = launch,
        *,
        propagates: bool = False,
    ) -> None:
        self._cloud, self._judge, self.sessions = cloud, judged, Sessions(vault)
        self._propagates = propagates
        keys = KeyLifecycle(vault)
        self._services: Mapping[str, Any] = {
            "kms": keys,
            "rds": Databases(),
            "s3": Uploads(vault, keys),
            "secretsmanager": SecretsManager(vault, keys),
            "sns": Topics(vault, keys),
            "sqs": Queues(vault, keys),
            "ssm": Parameters(),
            "states": StepFunctions(cloud, vault, keys, launched),
            "sts": Tokens(self.sessions),
        }

    def answer(self, http: Http) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        service, operation, request_id = UNSIGNED, None, str(uuid.uuid4())
        try:
            signed = verify(http, self.sessions)
            if signed.service not in self._services:
                raise AwsError(
                    "UnknownOperationException", f"the sandbox does not answer for {signed.service}"
                )
            service = signed.service
            operation, parameters = wire.read(http, service)
            result: Any = self._do(signed, operation.name, parameters, http)
        except AwsError as refusal:
            result = refusal
        except Exception:  # a fault of the sandbox: say all of it
            log.exception("the endpoint failed")
            result = AwsError("InternalFailure", traceback.format_exc())
        return wire.write(service, operation, result, request_id)

    def _do(
        self, signed: Signed, operation: str, parameters: Mapping[str, Any], http: Http
    ) -> dict[str, Any]:
        handler: Callable[[Call, Mapping[str, Any]], dict[str, Any]] | None = getattr(
            self._services[signed.service], operation, None
        )
        if handler is None:
            raise AwsError(
                "UnknownOperationException", f"the sandbox's {signed.service} does not know {operation}"
            )
        store = Store(self._cloud, signed.session.account, signed.region)
        try:
            access = Access(store, self._judge, propagates=self._propagates)
            return handler(Call(signed.session, access, http.tls), parameters)
        finally:
            store.close()


class Server:
    """An endpoint behind a port of this machine, served from threads of this process until it is closed."""

    def __init__(self, endpoint: Endpoint, authority: CertificateAuthority | None) -> None:
        """`authority` signs the certificate; None serves without TLS, as a test of what refuses that."""
        self.endpoint = endpoint
        self._server = _Threads((HOST, 0), partial(_Handler, endpoint))
        scheme = "http"
        if authority:
            context = authority.context(HOST)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.url = f"{scheme}://{HOST}:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's
        """A caller that hangs up, or does not like the certificate, knows of it itself."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a connection failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120  # seconds that a connection may idle

    def __init__(self, endpoint: Endpoint, *args: Any) -> None:
        self._endpoint = endpoint
        super().__init__(*args)

    def _body(self) -> bytes:
        """With a length, or in chunks as botocore streams what it sums up on the way."""
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)

    @property
    def _tls(self) -> str:
        """`TLSv1.3` is "1.3" to IAM."""
        version = self.connection.version() if isinstance(self.connection, ssl.SSLSocket) else None
        return (version or "").removeprefix("TLSv")

    def _serve(self) -> None:
        headers = {k.lower(): v for k, v in self.headers.items()}
        http = Http(self.command, self.path, headers, self._body(), self._tls)
        status, given, body = self._endpoint.answer(http)
        self.send_response(status)
        for key, value in given.items():
            if key.lower() not in ("content-length", "date", "server"):
                self.send_header(key, value)
        shown = given.get("Content-Length") or given.get("content-length") if self.command == "HEAD" else None
        self.send_header("content-length", shown or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - as the base class names them

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Quiet: what is refused, its caller hears."""
