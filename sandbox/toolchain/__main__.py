"""`python -m sandbox.toolchain VERB`: what the Makefile's targets do.

Exit status: the engine's own; 1 where something is refused or missing; 2 for wrong usage.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable

from sandbox.toolchain import cli, plugins
from sandbox.toolchain.environ import environment, path, settings
from sandbox.toolchain.places import ROOT, sandbox_dir, tools
from sandbox.toolchain.stacks import StackError, prepare_stack, stacks
from sandbox.toolchain.table import show_tenants

QUIET = ("--non-interactive", "--color=never", "--suppress-progress")


def setup() -> None:
    """CLI, language host, plugins; silent where all is there."""
    _, built = cli.ensure()
    plugins.install(built)


def engine(stack: str, *args: str) -> int:
    """Call the engine on a stack; plain and short where nobody is looking at a terminal."""
    env = environment(ROOT, sandbox_dir())
    plain = () if sys.stdout.isatty() else QUIET
    return subprocess.run(
        ["pulumi", *args, "--stack", stack, *plain], cwd=ROOT, env=env, check=False
    ).returncode


def up(stack: str) -> int:
    """Deploy, then show the tenants."""
    return engine(stack, "up", "--yes", "--skip-preview") or show_tenants(stack)


def preview(stack: str) -> int:
    return engine(stack, "preview")


def refresh(stack: str) -> int:
    return engine(stack, "refresh", "--yes", "--skip-preview")


def destroy(stack: str) -> int:
    return engine(stack, "destroy", "--yes", "--skip-preview")


def env(stack: str) -> int:
    """The environment as a shell reads it, with every stack that has a file made ready."""
    for other in {stack, *stacks()}:
        prepare_stack(ROOT, sandbox_dir(), other)
    for key, value in settings(ROOT, sandbox_dir()).items():
        print(f"export {key}={shlex.quote(value)}")
    print(f"export PATH={shlex.quote(path(os.environ))}")
    return 0


def nothing(stack: str) -> int:  # noqa: ARG001 - as the other verbs
    return 0


def clean(stack: str) -> int:  # noqa: ARG001 - as the other verbs
    """Remove what was made: the sandbox with all its clouds, the tools, caches. Never a file of yours."""
    for folder in (sandbox_dir(), tools(), *(ROOT / n for n in (".build", ".pytest_cache", ".ruff_cache"))):
        shutil.rmtree(folder, ignore_errors=True)
    for cache in ROOT.glob("[a-z]*/**/__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)
    return 0


VERBS: dict[str, tuple[Callable[[str], int], bool]] = {  # verb → what does it, whether it works on a stack
    "up": (up, True),
    "preview": (preview, True),
    "refresh": (refresh, True),
    "destroy": (destroy, True),
    "env": (env, True),
    "setup": (nothing, False),
    "clean": (clean, False),
}
CHECKED = frozenset({"up", "preview"})  # the registry is checked before the engine starts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.toolchain", description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--stack", default=os.environ.get("STACK", "dev"))
    given = parser.parse_args()
    verb, on_stack = VERBS[given.verb]
    if given.verb == "clean":
        return verb(given.stack)
    try:
        if on_stack:
            _known(given.stack)
        setup()
        if given.verb in CHECKED and (ROOT / "tenants" / f"{given.stack}.yaml").exists():
            check = [sys.executable, "-m", "tenants", "check", given.stack]
            status = subprocess.run(check, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode
            if status:
                return status
        return verb(given.stack)
    except (cli.CliError, StackError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1


def _known(stack: str) -> None:
    if stack not in stacks():
        raise StackError(
            f"stack {stack}: there is no Pulumi.{stack}.yaml; write one, or name one of:"
            f" {', '.join(stacks())}"
        )


if __name__ == "__main__":
    sys.exit(main())
