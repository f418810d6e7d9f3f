"""`pulumi` as `make env` puts it on PATH: the real CLI, kept from writing into committed files.

Outside the project or the sandbox, and for every command that does not touch a stack's file, it just calls
the real one.
"""

import os
import sys
from pathlib import Path

from devtools.call import Call
from devtools.engine import (
    CHANGES,
    CONFIG_FILE,
    WRITES,
    call_environment,
    check_profile,
    in_project,
    run,
)
from devtools.paths import ToolchainError, real_cli


def main() -> int:
    args = tuple(sys.argv[1:])
    call = Call(args)
    env = dict(os.environ)
    try:
        if in_project(call, env):
            check_profile(env)
            if call.command in CHANGES | WRITES:
                return run(args, env)
            env = call_environment(call, env)
            _remark(call, env)
    except ToolchainError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return wrong.status
    os.execve(real_cli(), ["pulumi", *args], env)  # noqa: S606 - no shell is wanted
    return 0


def _remark(call: Call, env: dict[str, str]) -> None:
    if call.command in ("preview", "pre") and CONFIG_FILE in env:
        from devtools.pre_update_checks import warn_of_running_update  # noqa: PLC0415 - `pulumi version` shall be quick

        stack = Path(env[CONFIG_FILE]).name.removeprefix("Pulumi.").removesuffix(".yaml")
        warn_of_running_update(Path(env["TENANTRY_SANDBOX_DIR"]), stack)


if __name__ == "__main__":
    sys.exit(main())
