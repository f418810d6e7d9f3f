"""How the Pulumi CLI is found, and what is said where it cannot be had."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from devtools import cli_build, cli_download, cli_lookup, go_toolchain
from devtools.paths import ROOT
from tests.waiting import LIMIT, wait_for

HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No CLI anywhere, no way to the official site, and a folder of one's own for the tools."""
    monkeypatch.setenv("TENANTRY_TOOLS_DIR", str(tmp_path / "tools"))
    monkeypatch.setenv("TENANTRY_OFFLINE", "1")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (tmp_path / "tools" / "cli").mkdir(parents=True)
    return tmp_path


def fake_cli(folder: Path, version: str, *, with_host: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("pulumi", "pulumi-language-python")[: 2 if with_host else 1]:
        (folder / name).write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder / "pulumi"


def put_go_on_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Go that is new enough and builds nothing."""
    go = bare / "go" / "go"
    go.parent.mkdir()
    script = f"""#!/bin/sh
[ "$1" = version ] && echo "go version go1.26.8 linux/amd64" && exit
[ "$1" = env ] && printf '{bare}/mod\\n{bare}/cache\\n{bare}/work\\n' && exit
echo "no route to modules" >&2
exit 1
"""
    go.write_text(script, encoding="utf-8")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")


def test_a_new_enough_cli_on_path_is_used(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fake_cli(bare / "bin", "v3.300.1")
    monkeypatch.setenv("PATH", f"{bare / 'bin'}:/usr/bin:/bin")
    assert cli_lookup.ensure() == (found.resolve(), False)
    assert (bare / "tools" / "cli" / "path").read_text(encoding="utf-8").strip() == str(found.resolve())


@pytest.mark.parametrize(
    ("version", "with_host", "message"),
    [
        ("v3.100.0", True, "is 3.100.0; this needs 3.259.0"),
        ("nonsense", True, "is of unknown version"),
        ("v3.300.1", False, "has no Python language host"),
    ],
)
def test_another_cli_on_path_is_passed_over_and_said_so(
    bare: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: str,
    with_host: bool,
    message: str,
) -> None:
    fake_cli(bare / "bin", version, with_host=with_host)
    monkeypatch.setenv("PATH", f"{bare / 'bin'}:/usr/bin:/bin")
    cached = fake_cli(bare / "tools" / "cli", "v3.259.0")
    assert cli_lookup.ensure() == (cached, True)
    assert message in capsys.readouterr().err


def test_no_room_on_the_disk_is_one_sentence(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_go_on_path(bare, monkeypatch)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 500_000_000))
    with pytest.raises(cli_build.CliError, match=r"needs \d\.\d GB on the disk of .* has 0\.5 GB; free some"):
        cli_lookup.ensure()


def test_a_failed_build_says_what_to_do(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_go_on_path(bare, monkeypatch)
    with pytest.raises(cli_build.CliError, match=r"no route to modules.*run the same command again"):
        cli_lookup.ensure()
    assert not (bare / "tools" / "cli" / "pulumi").exists()


def test_a_second_run_waits_for_the_first(bare: Path) -> None:
    """Two runs at once: the second says that it waits, and finds what the first made."""
    fake_cli(bare / "tools" / "cli", "v3.259.0")
    lock = bare / "tools" / "cli" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout
    holder.stdout.readline()
    result = bare / "said"
    with result.open("w") as stderr:
        second = subprocess.Popen(
            [sys.executable, "-c", "from devtools import cli_lookup; print(cli_lookup.ensure()[1])"],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    wait_for(lambda: "another run is getting the Pulumi CLI" in result.read_text(encoding="utf-8"))
    holder.communicate(timeout=LIMIT)  # closes what it reads, so that it ends
    assert second.communicate(timeout=LIMIT)[0].strip() == "True"
    assert second.returncode == 0


def test_the_version_is_the_one_that_the_modules_pin() -> None:
    text = (ROOT / "devtools" / "pulumi" / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{cli_download.VERSION}" in text
    needed = next(line.split()[1] for line in text.splitlines() if line.startswith("go "))
    assert tuple(map(int, needed.split("."))) == go_toolchain.GO_MINIMUM
