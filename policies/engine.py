"""Asks the engine on PATH for a preview, if none was saved."""

import subprocess
from typing import Final

from policies.preview import Preview, PreviewError, parse_preview

_PREVIEW: Final = ("pulumi", "preview", "--json", "--show-sames", "--non-interactive")


def preview_of(stack: str) -> Preview:
    """A preview of a stack (`eval "$(make -s env)"` puts the project's engine on PATH).

    Raises `PreviewError` where there is no engine, or it does not get through.
    """
    try:
        done = subprocess.run([*_PREVIEW, "--stack", stack], capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise PreviewError(
            'there is no pulumi on PATH; name a saved preview, or first run: eval "$(make -s env)"'
        ) from None
    if done.returncode:
        text = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise PreviewError(f"the preview of {stack} ended with status {done.returncode}: {text[-500:]}")
    return parse_preview(done.stdout, f"the preview of {stack}")
