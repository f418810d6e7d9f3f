"""The sandbox's provider for the oracle's shapes: the code that answers for AWS, given other descriptions.

It takes its faults from the folder of its cloud as the oracle does (provider/cloud.go), so that one driver
tells both what goes wrong next.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.aws import input_validation, type_descriptions
from sandbox.faults.injector import Injected, LateFailure, Step
from sandbox.providers import plugin
from sandbox.providers.aws import Aws
from sandbox.providers.plugin import Values

HERE = Path(__file__).with_name("described")


class NextFault:
    """The next call of an operation goes wrong if the file `fault` says so; once."""

    def __init__(self, home: Path) -> None:
        self.file = home / "fault"

    def around(self, step: Step, call: Callable[[], Any]) -> Any:
        text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        operation, _, fault = text.partition(" ")
        if operation != step.call:
            return call()
        self.file.unlink()
        if fault == "fail":
            raise Injected(f"{operation}: the cloud refuses")
        if fault == "die":
            os._exit(1)
        done = call()
        if fault == "die-late":
            os._exit(1)
        raise LateFailure(f"{operation}: the cloud refuses", done)


class Oracles(Aws):
    """In one Region, which the oracle's program does not name."""

    def configure(self, values: Values) -> None:
        super().configure({**values, "region": "eu-west-1"})


def main() -> None:
    type_descriptions.HERE = input_validation.HERE = HERE
    plugin._faults = lambda _: NextFault(Path(os.environ["SANDBOX_DIR"]))
    plugin.serve(Oracles())


if __name__ == "__main__":
    main()
