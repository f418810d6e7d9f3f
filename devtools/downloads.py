"""Downloads one file whose digest is pinned."""

import hashlib
import http.client
import time
import urllib.request
from pathlib import Path
from typing import Final

from devtools.paths import say

WHOLE_SECONDS: Final = 300
PIECE: Final = 1 << 20


class UnreachableError(Exception):
    """Nothing answers at an address, or what answers does not have the file."""


class DownloadError(Exception):
    """A download that began and is of no use; the text is a sentence without its end."""


def download(url: str, target: Path, digest: str, what: str, patience: float) -> None:
    """Have the file at `url` at `target`, complete and with this SHA-256.

    `patience` is in seconds, to connect and between two pieces.

    Raises `UnreachableError` or `DownloadError`; what is then at `target` is of no use.
    """
    begun, seen = time.monotonic(), hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=patience) as answer, target.open("wb") as out:  # noqa: S310 - https, from this project's tables
            say(f"fetching {what} from {url}")
            while piece := answer.read(PIECE):
                out.write(piece)
                seen.update(piece)
                if time.monotonic() - begun > WHOLE_SECONDS:
                    raise DownloadError(f"{url} takes more than {WHOLE_SECONDS} s")
    except (OSError, http.client.HTTPException) as wrong:  # URLError is an OSError
        raise UnreachableError(f"{url} does not answer ({wrong})") from wrong
    if seen.hexdigest() != digest:
        raise DownloadError(f"{url} is not the archive whose SHA-256 this project pins; it is thrown away")
