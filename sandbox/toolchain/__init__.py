"""What the engine needs before it can run here: CLI, language host, plugins, environment, stacks."""

from sandbox.toolchain.environ import environment
from sandbox.toolchain.stacks import prepare_stack

__all__ = ["environment", "prepare_stack"]
