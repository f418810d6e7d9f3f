"""What `make` calls: the Pulumi CLI, language host, plugins, environment and stacks of the sandbox."""

from devtools.environment import environment
from devtools.stacks import prepare_stack

__all__ = ["environment", "prepare_stack"]
