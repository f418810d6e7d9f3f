"""Executions of state machines: what is known of each, kept in the vault, and the process that runs one.

On AWS an execution goes on when whoever started it has ended. So each has a process of its own here, which
ends with its execution, or with the sandbox that it belongs to.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import sandbox
from sandbox.cloud.store import Row, Store
from sandbox.data_plane.secret_store import SecretStore
from sandbox.json_values import members

MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
RUNNING: Final = "RUNNING"
MODULE: Final = "sandbox.data_plane.execution_process"
# After its end nobody finds an execution any more, and another one may have its name (Step Functions API
# reference, StartExecution, and developer guide, "Quotas for Standard workflows", 2026-11).
KEPT: Final = timedelta(days=90)

Content = dict[str, Any]
Launch = Callable[[Path, str], None]
"""Given the file of the cloud and the ARN of an execution that was recorded."""


class Executions:
    """The records. Input and output lie as AWS's do: under the machine's key, where it has one."""

    def __init__(self, vault: SecretStore) -> None:
        self._vault = vault

    def find(self, arn: str) -> Content | None:
        found = self._vault.rows("SELECT content FROM executions WHERE arn = ?", arn)
        return json.loads(found[0][0]) if found else None

    def of_machine(self, machine: str) -> list[Content]:
        """The newest first."""
        found = self._vault.rows("SELECT content FROM executions WHERE machine = ?", machine)
        return sorted((json.loads(text) for (text,) in found), key=lambda c: -float(c["started"]))

    def begin(self, machine: Row, name: str, given: str) -> tuple[Content, bool]:
        """The execution of this name, and whether it is a new one."""
        arn = f"{machine.id.replace(':stateMachine:', ':execution:')}:{name}"
        content: Content = {
            "arn": arn,
            "machine": machine.id,
            "machineName": machine.outputs["name"],
            "name": name,
            "role": machine.inputs["roleArn"],
            "definition": machine.inputs["definition"],
            "key": members(machine.inputs.get("encryptionConfiguration")).get("kmsKeyId"),
            "status": RUNNING,
            "started": time.time(),
        }
        sealed = self._sealed(content, "input", given)
        with self._vault.change() as db:
            if found := self.find(arn):
                return found, False
            self._save(db, sealed)
        return sealed, True

    def end(self, arn: str, status: str, output: str | None, **why: str | None) -> None:
        content = self.find(arn)
        if content is None:  # of a machine that was deleted meanwhile
            return
        content |= {"status": status, "stopped": time.time(), **why}
        sealed = self._sealed(content, "output", output) if output is not None else content
        with self._vault.change() as db:
            self._save(db, sealed)

    def forget(self, store: Store) -> None:
        """Those that ended so long ago, by the sandbox's clock; a running one is kept, however old it is."""
        before = store.machine_time(store.now() - KEPT).timestamp()
        old = "FROM executions WHERE json_extract(content, '$.stopped') <= ?"
        if self._vault.rows(f"SELECT 1 {old}", before):  # who looks every second writes nothing
            with self._vault.change() as db:
                db.execute(f"DELETE {old}", (before,))

    def opened(self, content: Content, word: str) -> str | None:
        """Its input or its output."""
        if (sealed := content.get(word)) is None or content["key"] is None:
            return sealed
        return self._vault.decrypt(content["key"], bytes.fromhex(sealed), _context(content)).decode()

    def _sealed(self, content: Content, word: str, plain: str) -> Content:
        if content["key"] is not None:
            plain = self._vault.encrypt(content["key"], plain.encode(), _context(content)).hex()
        return {**content, word: plain}

    @staticmethod
    def _save(db: Any, content: Content) -> None:
        row = (content["arn"], content["machine"], json.dumps(content))
        db.execute("INSERT OR REPLACE INTO executions VALUES (?, ?, ?)", row)


def _context(content: Mapping[str, Any]) -> Mapping[str, str]:
    """Step Functions developer guide, "Data at rest encryption", 2026-11."""
    return {"aws:states:stateMachineArn": str(content["machine"])}


def launch(cloud: Path, arn: str) -> None:
    """Start the process of an execution. Nothing that this process does ends it."""
    log = cloud.parent / "plane" / "logs" / "executions.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, str(cloud.parent), arn],
            cwd=Path(sandbox.__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # or it would stay as a zombie
