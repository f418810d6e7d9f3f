"""Calls the engine in the sandbox, for `make` or for a person, and leaves the committed files as they are.

The engine is given its copy of the stack's file (see `stacks.py`), through the variable that stands for
`--config-file`. Destroying protected data is refused before the first deletion: the engine alone would
delete everything unprotected first.
"""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devtools.call import Call
from devtools.paths import Sandbox, ToolchainError, UsageError, real_cli

DESTROYS: Final = frozenset({"destroy", "down", "dn"})
CHANGES: Final = DESTROYS | frozenset({"up", "update", "deploy", "refresh", "import", "watch"})
ON_A_STACK: Final = CHANGES | frozenset({"preview", "pre", "logs"})
WRITES: Final = frozenset({"config", "stack"})  # commands that write stacks' files
CONFIG_FILE: Final = "PULUMI_OPTION_CONFIG_FILE"


def in_project(call: Call, env: Mapping[str, str]) -> bool:
    """Whether a call is about the project and the sandbox that the environment was made for."""
    project, sandbox = env.get("TENANTRY_PROJECT_DIR"), env.get("TENANTRY_SANDBOX_DIR")
    if not project or not sandbox or env.get("PULUMI_BACKEND_URL") != Sandbox(Path(sandbox)).state.as_uri():
        return False
    return Path(call.option("--cwd", "-C") or ".").resolve().is_relative_to(project)


def run(args: tuple[str, ...], env: Mapping[str, str], cwd: Path | None = None) -> int:
    """Run the engine to its end and return its status; raises `ToolchainError`."""
    from devtools.stacks import copy_settings_back, move_salts_to_sandbox  # noqa: PLC0415 - `pulumi version` shall be quick

    call = Call(args)
    check_faults(env)
    given = call_environment(call, env, cwd)
    project, home = Path(env["TENANTRY_PROJECT_DIR"]), Path(env["TENANTRY_SANDBOX_DIR"])
    before = {p: p.read_text(encoding="utf-8") for p in project.glob("Pulumi.*.yaml")}
    stack = Path(given.get(CONFIG_FILE, "")).name.removeprefix("Pulumi.").removesuffix(".yaml")
    if stack and call.command in CHANGES and "--preview-only" not in args:
        from devtools.pre_update_checks import update_with_checks  # noqa: PLC0415 - as above
        from devtools.unchanged_stack import discard_record  # noqa: PLC0415 - as above

        discard_record(home, stack)

        def start(held: tuple[int, ...], options: list[str]) -> int:
            return _run_to_the_end([real_cli(), *args, *options], given, cwd, held)

        status = update_with_checks(home, stack, given, start, call)
        move_salts_to_sandbox(project, home, before)
        return status or _sweep_databases(home)
    status = _run_to_the_end([real_cli(), *args], given, cwd)
    if stack and call.command == "config":
        copy_settings_back(project, Path(given[CONFIG_FILE]))
    move_salts_to_sandbox(project, home, before)
    return status


def check_faults(env: Mapping[str, str]) -> None:
    """A fault plan that cannot be followed is refused before anything starts."""
    from sandbox.faults.plan import FaultPlanError, read_plan  # noqa: PLC0415 - as above

    try:
        if read_plan(env):  # of a full disk the engine shall hear from its writes, not die of a signal
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGXFSZ})
    except FaultPlanError as wrong:
        raise UsageError(str(wrong)) from None


def check_profile(env: Mapping[str, str]) -> None:
    """So is a profile of accounts that there is not."""
    from sandbox.cloud.profile import ProfileError, asked_profile  # noqa: PLC0415 - as above

    try:
        asked_profile(env)
    except ProfileError as wrong:
        raise UsageError(str(wrong)) from None


def _sweep_databases(home: Path) -> int:
    """After a run that ended well: nothing of what is gone stays behind."""
    if (home / "plane").exists():
        from sandbox.data_plane.service import Service  # noqa: PLC0415 - as above

        service = Service(home)
        service.sweep()
        service.close()
    return 0


def call_environment(call: Call, env: Mapping[str, str], cwd: Path | None = None) -> dict[str, str]:
    """The environment of a call, with the engine's copy of the stack's file where it works on a stack."""
    given = dict(env) | {"PULUMI_OPTION_PRESERVE_CONFIG": "true"}  # `stack rm` leaves the committed file
    if call.command not in ON_A_STACK | {"config"} or call.option("--config-file", "-\0"):
        return given
    stack = call.stack or env.get("PULUMI_STACK") or _selected_stack(given, cwd)
    if stack is None:
        return given  # the engine asks for one in its own words
    from devtools.stacks import prepare_stack  # noqa: PLC0415 - `pulumi version` shall be quick

    copy = prepare_stack(Path(env["TENANTRY_PROJECT_DIR"]), Path(env["TENANTRY_SANDBOX_DIR"]), stack)
    if call.command in DESTROYS and "--preview-only" not in call.args:
        from devtools.destroy_guard import destroy_refusal  # noqa: PLC0415 - as above

        if why := destroy_refusal(stack, copy, given):
            raise ToolchainError(why)
    return given | {CONFIG_FILE: str(copy)}


def _selected_stack(env: Mapping[str, str], cwd: Path | None) -> str | None:
    done = subprocess.run(
        [real_cli(), "stack", "--show-name", "--non-interactive"],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


def _run_to_the_end(
    command: list[str], env: Mapping[str, str], cwd: Path | None, inherited: tuple[int, ...] = ()
) -> int:
    """Wait for the engine through every interrupt: it ends in its own time, and saves what was done."""
    with subprocess.Popen(command, env=env, cwd=cwd, pass_fds=inherited) as process:
        # A terminal interrupts the engine itself; who kills this process means the engine.

        def wait_on(_signal: int, _frame: object) -> None: ...

        def pass_on(number: int, _frame: object) -> None:
            process.send_signal(number)

        before = {
            signal.SIGINT: signal.signal(signal.SIGINT, wait_on),
            signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        }
        try:
            status = process.wait()
            return status if status >= 0 else 128 - status  # of a signal, as a shell has it
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
