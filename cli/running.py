"""How every command runs: one style of help and errors, one table of exit statuses."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer
from typer.core import TyperGroup

EXIT_STATUSES: Final[Mapping[int, str]] = {
    0: "done, and nothing is wrong",
    1: "refused, or something is wrong: a finding, a broken rule, a stale file, a machine that says no",
    2: "wrong usage: a command, an option, a value or a named file that cannot be used",
    3: "done, and something is left for you to look at",
    130: "interrupted",
}
# Errors of the other rooms that are a sentence for people, with their status. By name: importing the
# classes would load every room to print a line of help.
REFUSALS: Final[Mapping[str, int]] = {
    "devtools.paths.UsageError": 2,
    "devtools.paths.ToolchainError": 1,
    "iam.documents.DocumentError": 2,
    "policies.exceptions.ExceptionsError": 2,
    "policies.preview.PreviewError": 2,
    "recovery.engine.RecoveryError": 1,
    "sandbox.cloud.profile.ProfileError": 2,
    "sandbox.data_plane.paths.DataPlaneError": 1,
}
COMPLETION: Final = "_TENANTRY_COMPLETE"  # set by the shell's script when it asks for completions
INTERRUPTED: Final = 130


class CommandGroup(TyperGroup):
    """A group whose errors are one sentence on standard error, `error: …`."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        words = sys.argv[1:] if args is None else list(args)
        try:
            status = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except Exception as wrong:
            if (status := _refused(wrong, words)) is None:
                raise
        if status == INTERRUPTED:
            print("error: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        if not standalone_mode:
            return status
        sys.exit(status)


def _refused(wrong: Exception, words: Sequence[str]) -> int | None:
    """Say what is refused; the exit status, and None for what is a fault of the program."""
    if isinstance(wrong, typer.TyperException):
        return _misused(wrong)
    if isinstance(wrong, OSError):
        named = str(wrong.filename) in words  # a file that was given, and not one of the project
        _error(f"{wrong.filename}: {wrong.strerror}" if wrong.filename else wrong.strerror or str(wrong))
        return 2 if named else 1
    names = [f"{c.__module__}.{c.__qualname__}" for c in type(wrong).__mro__]
    status = next((REFUSALS[name] for name in names if name in REFUSALS), None)
    if status is not None:
        _error(str(wrong))
    return status


def _misused(wrong: typer.TyperException) -> int:
    context = getattr(wrong, "ctx", None)
    if type(wrong).__name__ == "NoArgsIsHelpError":  # a group without a command: its message is the help
        print(wrong.message, file=sys.stderr)
        return wrong.exit_code
    ours = isinstance(wrong, typer.BadParameter) and wrong.param is None  # a sentence of this project's
    text = wrong.message if ours else wrong.format_message()
    _error(text if ours else text[:1].lower() + text[1:])
    if context is not None:
        print(f"help:  {context.command_path} --help", file=sys.stderr)
    return wrong.exit_code


def _error(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)


def group(text: str, **more: Any) -> typer.Typer:
    """An empty group of commands; `text` is its line of help."""
    return typer.Typer(
        help=text,
        cls=CommandGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=COMPLETION in os.environ,
        pretty_exceptions_enable=False,
        **more,
    )


def run(app: typer.Typer, program: str) -> None:
    """Run what was typed, and end the process with its exit status; `program` is how it was called."""
    gc.disable()  # the process ends before there is garbage worth a look: a fifth of the time of a check
    app(prog_name=program, complete_var=COMPLETION)
