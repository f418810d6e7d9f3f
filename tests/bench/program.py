"""The whole program under mocks, as one process: what it costs without an engine or a cloud."""

import gc

gc.disable()  # as `__main__.py` does

from components.platform import Platform
from tests.cells import cell_of
from tests.harness import run


def main(stack: str) -> None:
    cell = cell_of(stack)
    recording = run(lambda: Platform("platform", cell), stack_name=stack)
    if not recording.of("kms/key:Key"):
        raise SystemExit("the program registered nothing: the figure would be of an empty run")
