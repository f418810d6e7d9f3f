"""`pulumi` as `make env` puts it on PATH: the real one, kept from writing into committed files.

Outside the project or the sandbox, and for every command that has nothing to do with a stack's file, it
is the real one and nothing else.
"""

import os
import sys

from sandbox.toolchain.engine import CHANGES, WRITES, Call, in_project, prepared, run
from sandbox.toolchain.places import ToolchainError, real_cli


def main() -> int:
    args = tuple(sys.argv[1:])
    call = Call(args)
    env = dict(os.environ)
    try:
        if in_project(call, env):
            if call.command in CHANGES | WRITES:
                return run(args, env)
            env = prepared(call, env)
    except ToolchainError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return wrong.status
    os.execve(real_cli(), ["pulumi", *args], env)  # noqa: S606 - no shell is wanted
    return 0


if __name__ == "__main__":
    sys.exit(main())
