"""Downloads the official archive of the Pulumi CLI, if one of its sites answers in time."""

import os
import shutil
import tarfile
from pathlib import Path
from typing import Final

from devtools.downloads import DownloadError, UnreachableError, download
from devtools.paths import say

VERSION: Final = "3.259.0"
SITES: Final = (
    "https://get.pulumi.com/releases/sdk",
    f"https://github.com/pulumi/pulumi/releases/download/v{VERSION}",
)
# SHA-256 of each archive, from the vendor's Homebrew formula (pulumi/homebrew-tap, 2026-08-20).
ARCHIVES: Final = {
    ("Linux", "x86_64"): ("linux-x64", "94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5"),
    ("Linux", "aarch64"): ("linux-arm64", "edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853"),
    ("Darwin", "x86_64"): ("darwin-x64", "eaca4c3b8277bfa3ab061fa3b270d1c66358a0b2e613da8c5587a04b7226c534"),
    ("Darwin", "arm64"): ("darwin-arm64", "57c27f179e527e2cf9f62b841a448af72a020e44b2fb4ee0d9bd85556c00c864"),
}
WANTED: Final = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
REACH_SECONDS: Final = 5  # there is another way where no site answers


def fetch(folder: Path) -> Path | None:
    """Fetch, check and unpack it below `folder`; None where that cannot be done here and now."""
    system = os.uname()
    if os.environ.get("TENANTRY_OFFLINE") == "1" or (system.sysname, system.machine) not in ARCHIVES:
        return None
    platform, digest = ARCHIVES[system.sysname, system.machine]
    new, archive = folder / "official.new", folder / "official.tar.gz"
    try:
        for site in SITES:
            if _downloaded(f"{site}/pulumi-v{VERSION}-{platform}.tar.gz", archive, digest):
                shutil.rmtree(new, ignore_errors=True)
                _unpack(archive, new)
                shutil.rmtree(folder / "official", ignore_errors=True)
                new.replace(folder / "official")
                return folder / "official" / "pulumi"
    except (OSError, tarfile.TarError) as wrong:
        say(f"the official Pulumi CLI could not be unpacked ({wrong})")
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(new, ignore_errors=True)
    return None


def _downloaded(url: str, target: Path, digest: str) -> bool:
    try:
        download(url, target, digest, f"the Pulumi CLI {VERSION}", REACH_SECONDS)
    except UnreachableError:
        return False
    except DownloadError as wrong:
        say(f"{wrong}; going on without it")
        return False
    return True


def _unpack(archive: Path, folder: Path) -> None:
    """Only the CLI and its Python language host, flat; the other languages' hosts are not needed."""
    folder.mkdir(parents=True)
    with tarfile.open(archive, mode="r:gz") as source:
        for member in source:
            name = Path(member.name).name
            content = source.extractfile(member) if member.isfile() and name in WANTED else None
            if content:
                with (folder / name).open("wb") as out:
                    shutil.copyfileobj(content, out)
                (folder / name).chmod(0o755)
