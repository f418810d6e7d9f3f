"""What the engine needs before it can run here: CLI, language host, plugins, environment, stacks."""

from devtools.environment import environment
from devtools.stacks import prepare_stack

__all__ = ["environment", "prepare_stack"]
