"""Step Functions: executions are started and described, and forgotten in time (API reference, 2026-11).

Who starts or describes an execution of a machine with a key of the customer's must be allowed to decrypt
with it, and the machine's role to use it (developer guide, "Data at rest encryption", 2026-11).
"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, tags_of
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.keys import Keys
from sandbox.data_plane.endpoint.sessions import ROLE, session_of
from sandbox.data_plane.executions import MACHINE, RUNNING, Content, Executions, Launch
from sandbox.data_plane.secret_store import SecretStore
from sandbox.json_values import members

NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}")
LARGEST: Final = 256 * 1024  # bytes of an input
VIA: Final = "states"


class StepFunctions:
    def __init__(self, cloud: Path, vault: SecretStore, keys: Keys, launch: Launch) -> None:
        self._cloud, self._keys, self._launch = cloud, keys, launch
        self._executions = Executions(vault)

    def StartExecution(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        machine = self._machine(call, p["stateMachineArn"])
        name, given = p.get("name") or str(uuid.uuid4()), p.get("input") or "{}"
        if not NAME.fullmatch(name):
            raise AwsError("InvalidName", f"Invalid Name: '{name}'")
        _require_json(given)
        self._use_key(call, machine)
        self._executions.forget(call.store)
        found, new = self._executions.begin(machine, name, given)
        if new:
            self._launch(self._cloud, found["arn"])
        elif found["status"] != RUNNING or self._executions.opened(found, "input") != given:
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{found['arn']}'")
        return {"executionArn": found["arn"], "startDate": _moment(found["started"])}

    def DescribeExecution(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        arn = str(p["executionArn"])
        call.require(Asked("states:DescribeExecution", arn))
        self._executions.forget(call.store)
        found = self._executions.find(arn)
        if found is None:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        data = {} if p.get("includedData") == "METADATA_ONLY" else self._data(call, found)
        stopped = {"stopDate": _moment(found["stopped"])} if "stopped" in found else {}
        return {
            "executionArn": arn,
            "stateMachineArn": found["machine"],
            "name": found["name"],
            "status": found["status"],
            "startDate": _moment(found["started"]),
            **stopped,
            **data,
        }

    def ListExecutions(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        arn = str(p["stateMachineArn"])
        call.require(Asked("states:ListExecutions", arn))
        self._executions.forget(call.store)
        wanted = p.get("statusFilter")
        return {
            "executions": [
                {
                    "executionArn": found["arn"],
                    "stateMachineArn": arn,
                    "name": found["name"],
                    "status": found["status"],
                    "startDate": _moment(found["started"]),
                    **({"stopDate": _moment(found["stopped"])} if "stopped" in found else {}),
                }
                for found in self._executions.of_machine(arn)
                if wanted in (None, found["status"])
            ]
        }

    def _machine(self, call: Call, arn: str) -> Row:
        rows = call.store.find(MACHINE, arn)
        call.require(Asked("states:StartExecution", arn, tags=tags_of(rows[0]) if rows else {}))
        if not rows:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return rows[0]

    def _use_key(self, call: Call, machine: Row) -> None:
        """The machine's role encrypts what it is given."""
        key = members(machine.inputs.get("encryptionConfiguration")).get("kmsKeyId")
        roles = call.store.find(ROLE, str(machine.inputs["roleArn"]))
        if not key or not roles:
            return
        as_machine = Call(session_of(roles[0], call.session.account, "states"), call.access, call.tls)
        context = {"aws:states:stateMachineArn": machine.id}
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            self._keys.use(as_machine, str(key), action, context, VIA)

    def _data(self, call: Call, found: Content) -> dict[str, Any]:
        if found["key"] is not None:
            self._keys.use(
                call, found["key"], "kms:Decrypt", {"aws:states:stateMachineArn": found["machine"]}, VIA
            )
        texts = {word: self._executions.opened(found, word) for word in ("input", "output")}
        why = {word: found.get(word) for word in ("error", "cause")}
        return {word: value for word, value in (texts | why).items() if value is not None}


def _require_json(text: str) -> None:
    if len(text.encode()) > LARGEST:
        raise AwsError("InvalidExecutionInput", f"Input is longer than {LARGEST} bytes")
    try:
        json.loads(text)
    except ValueError as wrong:
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{wrong}'") from None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
