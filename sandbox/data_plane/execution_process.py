"""The process of one execution: `python -m sandbox.data_plane.execution_process HOME ARN`.

It interprets the machine's definition, calls functions as the machine's role, and records how it ended. It
ends with the sandbox: when the vault's file is gone, so is all that it works on.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from sandbox.cloud.store import Store
from sandbox.data_plane.endpoint.access import Access, Asked
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.sessions import ROLE, Session, session_of
from sandbox.data_plane.executions import Content, Executions
from sandbox.data_plane.function_states import FunctionPendingError
from sandbox.data_plane.functions import FUNCTION, FunctionError
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.service import Service
from sandbox.data_plane.state_interpreter import Failed, Machine, Refused, run

LOOK: Final = 1.0  # seconds between two looks whether the sandbox is still there
SERVICE: Final = "states.amazonaws.com"


def main(home: Path, arn: str) -> None:
    service = Service(home, propagates=True)
    threading.Thread(target=_end_with, args=(service.plane.vault,), daemon=True).start()
    executions = Executions(service.secret_store)
    found = executions.find(arn)
    if found is None:
        raise SystemExit(f"there is no execution {arn}")
    machine = Machine(
        arn=found["machine"], name=found["machineName"], role=found["role"], definition=found["definition"]
    )
    _, _, _, region, account, *_ = arn.split(":")
    store = Store(service.plane.cloud, account, region)
    try:
        caller = Caller(service, store, found)
        ended = run(machine, arn, str(executions.opened(found, "input")), caller.invoke)
        executions.end(arn, ended.status, ended.output, error=ended.error, cause=ended.cause)
    except Exception as wrong:  # a fault of the sandbox, and nobody is to wait for ever
        executions.end(arn, "FAILED", None, error="States.Runtime", cause=f"{type(wrong).__name__}: {wrong}")
        raise
    finally:
        store.close()
        service.close()


class Caller:
    """Calls functions as the machine's role does, which may be allowed to since a moment ago."""

    def __init__(self, service: Service, store: Store, execution: Content) -> None:
        self._service, self._store, self._access = service, store, Access(store, propagates=True)
        self._execution = execution

    def invoke(self, name: str, event: Any) -> Any:
        rows = self._store.find(FUNCTION, name)
        try:
            arn = str(rows[0].outputs["arn"]) if rows else name
            self._access.require(self._session(), Asked("lambda:InvokeFunction", arn), "1.3")
        except AwsError as refusal:
            raise Refused(refusal.code, refusal.message) from None
        if not rows:
            raise Refused("ResourceNotFoundException", f"Function not found: {name}")
        try:
            return json.loads(
                self._service.functions.invoke(self._store, str(rows[0].outputs["name"]), event)
            )
        except FunctionError as failure:
            raise Failed(str(failure)) from None
        except FunctionPendingError as refusal:
            raise Refused(refusal.code, refusal.words) from None
        except DataPlaneError as refusal:
            raise Refused("ServiceException", str(refusal)) from None

    def _session(self) -> Session:
        roles = self._store.find(ROLE, str(self._execution["role"]))
        known = {
            "aws:SourceAccount": self._store.account,
            "aws:SourceArn": str(self._execution["machine"]),
        }
        if not roles or not self._access.assumable(roles[0], SERVICE, known):
            raise AwsError("AccessDeniedException", "Step Functions cannot assume the machine's role.")
        return session_of(roles[0], self._store.account, str(self._execution["name"])[:64])


def _end_with(vault: Path) -> None:
    while vault.exists():
        time.sleep(LOOK)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
