"""What the Makefile's targets do with a stack of the local cloud.

Each function returns its exit status: the engine's own, or 1 if something is refused or missing.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final

from devtools import cli_lookup, engine, plugin_launchers, postgres_download, unchanged_stack
from devtools.account_profile import refuse_small_quotas
from devtools.environment import DROPPED, environment, path, settings
from devtools.failure_reasons import failed_deployments, young_account
from devtools.orphaned_resources import orphan_warning
from devtools.paths import ROOT, sandbox_dir, say
from devtools.policy_preview import PACK, QUIET, plan_file, preview_and_judge, preview_summary
from devtools.pre_update_checks import warn_of_running_update
from devtools.progress_filter import output_on_stderr, without_progress_lines
from devtools.stacks import prepare_stack, require_file, stacks
from devtools.summary_table import show_stack
from recovery.engine import Stack
from recovery.failed_updates import refresh_failed_updates
from sandbox.data_plane.service import SWITCH, Service, databases_enabled

# What `pulumi` is called with for a verb. `up` needs no outputs of its own: the table shows them.
ENGINE: Final = {
    "up": ("up", "--yes", "--skip-preview", "--suppress-outputs", *PACK),
    "preview": (),  # `judging` calls it
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}
CHECKED: Final = frozenset({"up", "preview"})  # the registry is checked before the engine starts


def setup() -> None:
    """CLI, language host, plugins, PostgreSQL's server; silent where all is there."""
    _, built = cli_lookup.ensure()
    plugin_launchers.install(built)
    if os.environ.get("SANDBOX_POSTGRES") != "0":
        postgres_download.ensure()


def operate(verb: str, stack: str, *, as_json: bool = False) -> int:
    """Call the engine on a stack; after an update show what the stack has.

    With `as_json` that alone goes to standard output, and what the engine says to standard error.
    """
    with output_on_stderr() if as_json else nullcontext():
        status = _operate(verb, stack)
    return status if status or verb != "up" else show_stack(stack, as_json=as_json)


def _operate(verb: str, stack: str) -> int:
    """Call the engine; plain and short where nobody is looking at a terminal."""
    require_file(ROOT, stack)
    engine.check_profile(os.environ)
    setup()
    if verb in CHECKED and (status := check(stack)):
        return status
    if verb in CHECKED:
        refuse_small_quotas(ROOT, sandbox_dir(), stack, os.environ)
    plain = () if sys.stdout.isatty() else QUIET
    given = environment(ROOT, sandbox_dir(), stack)
    engine.check_faults(given)
    if verb == "preview":
        warn_of_running_update(sandbox_dir(), stack)
        return preview_and_judge(stack, given, plain)
    if verb == "up":
        return _update(stack, {SWITCH: "1", **given}, plain)  # databases are real unless a person says no
    return _run(verb, stack, given, plain)


def _update(stack: str, given: Mapping[str, str], plain: tuple[str, ...]) -> int:
    """Plan, judge, and change what is to be changed; where nothing is, the engine runs once."""
    program, mine, home = unchanged_stack.program_digest(), Stack(stack, ROOT, given), sandbox_dir()
    refresh_failed_updates(mine, say)
    if status := preview_and_judge(stack, given):
        return status
    if unchanged_stack.is_unchanged(home, mine, program, plan_file(stack)):
        print(preview_summary(stack))
        say(f"nothing has changed since the last update of {stack}")
    elif status := _run("up", stack, given, plain):
        return status
    else:
        unchanged_stack.record_update(home, mine, program)
    _start_databases(stack, given)
    return 0


def _run(verb: str, stack: str, given: Mapping[str, str], plain: tuple[str, ...]) -> int:
    args = (*ENGINE[verb], "--stack", stack, *plain)
    with without_progress_lines() if plain else nullcontext():
        status = engine.run(args, given, ROOT)
    warnings = (
        [*failed_deployments(stack, given), young_account(stack, given), orphan_warning(stack, given)]
        if status
        else []
    )
    for warning in filter(None, warnings):
        print(f"error: {warning}", file=sys.stderr)
    return status


def _start_databases(stack: str, given: Mapping[str, str]) -> None:
    """Start the databases that do not run, as after the machine was."""
    service = Service(sandbox_dir())
    for name in service.start(stack, make=databases_enabled(given)):
        say(f"started {name}")
    service.close()


def check(stack: str) -> int:
    """What can be refused is refused before the engine starts, all of it at once."""
    if not (ROOT / "tenants" / f"{stack}.yaml").exists():
        return 0  # a stack without tenants; the program says so where it needs some
    command = [sys.executable, "-m", "tenants", "check", stack]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def env(stack: str) -> int:
    """The environment as a shell reads it, with every stack that has a file made ready."""
    require_file(ROOT, stack)
    setup()
    for other in stacks():
        prepare_stack(ROOT, sandbox_dir(), other)
    for key in DROPPED:
        if key in os.environ:
            print(f"unset {key}")
    for key, value in settings(ROOT, sandbox_dir(), stack).items():
        print(f"export {key}={shlex.quote(value)}")
    print(f"export {SWITCH}={shlex.quote(os.environ.get(SWITCH, '1'))}")
    print(f"export PATH={shlex.quote(path(os.environ))}")
    return 0


def recovery(verb: str, stack: str, copy: str | None = None, *, as_json: bool = False) -> int:
    """What `tenantry recover` does, against the local cloud; `copy` names the one to bring back."""
    require_file(ROOT, stack)
    setup()
    prepare_stack(ROOT, sandbox_dir(), stack)
    given = environment(ROOT, sandbox_dir(), stack)
    options = (*(("--copy", copy) if copy else ()), *(("--json",) if as_json else ()))
    command = [sys.executable, "-m", "recovery", verb, stack, *options]
    status = subprocess.run(command, cwd=ROOT, env=given, check=False).returncode
    if verb == "recover" and (warning := orphan_warning(stack, given)):
        print(f"error: {warning}", file=sys.stderr)
        return status or 3
    return status
