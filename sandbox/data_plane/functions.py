"""Lambda: runs functions from the uploaded archive, each in processes of its own.

A process is reused by the next call, as in Lambda. It has its function's environment, credentials of its
role, boto3 as in the runtime, and nothing of this project; it ends with the process that started it.
"""

import hashlib
import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.cloud.store import Row, Store
from sandbox.data_plane import function_states
from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.endpoint.access import Access
from sandbox.data_plane.endpoint.sessions import ROLE, Sessions, session_of
from sandbox.data_plane.paths import DataPlaneError, DataPlaneFolders
from sandbox.json_values import items, members

FUNCTION: Final = "aws:lambda/function:Function"
SUBNET: Final = "aws:ec2/subnet:Subnet"
# What Lambda's Python runtime has beside the standard library: boto3 and all that it needs.
RUNTIME: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
WORKER: Final = Path(__file__).with_name("function_worker.py")
DATABASE_ROOTS: Final = (
    "rds-roots.pem"  # whom functions trust as RDS; the sandbox's RDS has a root of its own
)
AT_ONCE: Final = 4  # processes of one function; a call beyond waits
HOURS: Final = 12
EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the oldest date that an archive can say


class FunctionError(DataPlaneError):
    """The function failed; the text is its own payload, as Lambda gives it back."""


class _Crashed(Exception):  # noqa: N818 - a fact
    """The process ended, or did not answer in time."""


@dataclass(frozen=True)
class Network:
    """What a function's process is told of the places that it can reach."""

    endpoint: str  # URL of AWS's APIs
    databases: int  # port of the way to databases


class Functions:
    def __init__(
        self, plane: DataPlaneFolders, authority: CertificateAuthority, sessions: Sessions, network: Network
    ) -> None:
        self._plane, self._authority, self._sessions, self._network = plane, authority, sessions, network
        self._idle: dict[str, list[_Process]] = {}
        self._slots: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

    def invoke(self, store: Store, name: str, event: Mapping[str, Any]) -> str:
        """The function's payload. Raises `FunctionError` with the payload of its failure, and
        `FunctionPendingError` if Lambda refuses to call it.
        """
        rows = store.find(FUNCTION, name)
        if not rows:
            raise DataPlaneError(f"ResourceNotFoundException: Function not found: {name}")
        row = rows[0]
        function_states.call(store, row)
        key = f"{row.outputs['arn']} {digest(row.inputs)} {json.dumps(row.inputs.get('environment'))}"
        with self._lock:
            at_once = int(row.outputs.get("reservedConcurrentExecutions") or -1)
            slots = self._slots.setdefault(
                key, threading.Semaphore(min(at_once, AT_ONCE) if at_once > 0 else AT_ONCE)
            )
        with slots:
            with self._lock:
                idle = self._idle.setdefault(key, [])
                process = idle.pop() if idle else None
            process = process or self._start(store, row)
            try:
                answer = process.ask(event, float(row.outputs["timeout"]))
            except _Crashed as wrong:
                process.end()
                raise FunctionError(json.dumps({"errorMessage": str(wrong)})) from None
            with self._lock:
                idle.append(process)
        if "error" in answer:
            answer["error"].pop("stackTrace", None)  # in the function's log
            raise FunctionError(json.dumps(answer["error"]))
        return json.dumps(answer["result"])

    def close(self) -> None:
        with self._lock:
            for process in (p for those in self._idle.values() for p in those):
                process.end()
            self._idle.clear()

    def _start(self, store: Store, row: Row) -> "_Process":
        code = unpack(self._plane, row.inputs, self._authority)
        name, log = str(row.outputs["name"]), self._plane.logs / f"{row.outputs['name']}.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        variables = members(members(row.inputs.get("environment")).get("variables"))
        environment = {
            **variables,
            **self._environment(row, name, store.region),
            **self._credentials(store, row, name),
        }
        # Nothing of this project is on its path, nor the packages of this interpreter.
        command = [sys.executable, "-I", "-S", str(WORKER), str(code), str(_runtime(self._plane)), str(row.inputs["handler"])]  # fmt: skip  # noqa: E501
        return _Process(command, environment, log)

    def _environment(self, row: Row, name: str, region: str) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(row.outputs["memorySize"]),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self._network.endpoint,
            "AWS_CA_BUNDLE": str(self._authority.root),
            "SANDBOX_DATABASE_PORT": str(self._network.databases),
        }

    def _credentials(self, store: Store, row: Row, name: str) -> dict[str, str]:
        """Of the function's role, which must let Lambda have it."""
        roles = store.find(ROLE, str(row.inputs["role"]))
        known = {"aws:SourceAccount": store.account, "aws:SourceArn": str(row.outputs["arn"])}
        if not roles or not Access(store).assumable(roles[0], "lambda.amazonaws.com", known):
            raise DataPlaneError(
                "InvalidParameterValueException: The role defined for the function cannot be assumed by"
                " Lambda."
            )
        session = session_of(
            roles[0],
            store.account,
            name,
            context={"lambda:SourceFunctionArn": str(row.outputs["arn"])},
            vpc=_network_of(store, row),
        )
        return self._sessions.give(session, HOURS * 3600).environment


def _network_of(store: Store, row: Row) -> str | None:
    subnets = items(members(row.inputs.get("vpcConfig")).get("subnetIds"))
    found = [r for s in subnets for r in store.find(SUBNET, s)]
    return str(found[0].inputs["vpcId"]) if found else None


class _Process:
    """One process of a function; it is asked one thing at a time."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._answers, there = os.pipe()
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*command, str(there)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=dict(environment),
                pass_fds=(there,),
                cwd="/",
            )
        os.close(there)
        self._rest = b""

    def ask(self, event: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        ends = time.monotonic() + seconds
        request = {"id": str(uuid.uuid4()), "event": event, "ends": time.time() + seconds}
        assert self._process.stdin  # noqa: S101 - narrows the type
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _Crashed("the function's process ended") from None
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, ends - time.monotonic()))
            if not ready:
                raise _Crashed(f"{request['id']} Task timed out after {seconds:.2f} seconds")
            chunk = os.read(self._answers, 65536)
            if not chunk:
                raise _Crashed(f"RequestId: {request['id']} Error: Runtime exited; its log says why")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
        with suppress(OSError):
            os.close(self._answers)


# -- archives


def _assets(inputs: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Path in the archive → the file's asset, as the engine gives it."""
    return members(members(inputs.get("code")).get("assets"))


def digest(inputs: Mapping[str, Any]) -> str:
    """One name for one code: of the paths and hashes that the engine gives."""
    listed = sorted((path, asset.get("hash")) for path, asset in _assets(inputs).items())
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:32]


def upload(plane: DataPlaneFolders, inputs: Mapping[str, Any]) -> None:
    """Keep a function's code as the archive that Lambda would be sent."""
    assets = _assets(inputs)
    target = plane.code / f"{digest(inputs)}.zip"
    if not assets or target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_suffix(f".{uuid.uuid4().hex}")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, asset in sorted(assets.items()):
            archive.writestr(zipfile.ZipInfo(path, EPOCH), _content(asset))
    new.replace(target)


def kept(plane: DataPlaneFolders, inputs: Mapping[str, Any]) -> bool:
    """Whether a function's code was uploaded."""
    return (plane.code / f"{digest(inputs)}.zip").exists()


def _content(asset: Mapping[str, Any]) -> bytes:
    if asset.get("path"):
        return Path(str(asset["path"])).read_bytes()
    if asset.get("text") is not None:
        return str(asset["text"]).encode()
    raise DataPlaneError("InvalidParameterValueException: the sandbox runs code of files and texts only")


def unpack(plane: DataPlaneFolders, inputs: Mapping[str, Any], authority: CertificateAuthority) -> Path:
    """The archive as Lambda unpacks it, once; this Region's RDS has the sandbox's root."""
    archive = plane.code / f"{digest(inputs)}.zip"
    if not archive.exists():
        raise DataPlaneError("the function's code is not in this sandbox: change it or make the sandbox anew")
    target = archive.with_suffix("")
    if not target.exists():
        new = archive.with_name(f"{archive.stem}.{uuid.uuid4().hex}")
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(new)
        for roots in new.rglob(DATABASE_ROOTS):
            with roots.open("a", encoding="utf-8") as file:
                file.write(authority.pem)
        try:
            new.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(new, ignore_errors=True)
    return target


def _runtime(plane: DataPlaneFolders) -> Path:
    """A folder with the runtime's packages and no others."""
    folder = plane.folder / "runtime"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in RUNTIME:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise DataPlaneError(
                f"{name}, which Lambda's runtime carries, is not installed: run `make` again"
            )
        origin = Path(found.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        link = folder / source.name
        if not link.is_symlink() or link.readlink() != source:
            link.unlink(missing_ok=True)
            with suppress(FileExistsError):
                link.symlink_to(source)
    return folder
