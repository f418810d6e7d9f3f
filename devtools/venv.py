"""Creates the virtual environment, with any Python: `python3 devtools/venv.py FOLDER`.

It uses the standard library only and old syntax, so that a Python that is too old can say so. Nothing
is done where the environment already has what the lists of requirements name.
"""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MINIMUM = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
LISTS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
EVERYTHING = ("-r", str(LISTS[-1]))  # it includes the first
EVERY = 20  # seconds between two lines of progress
# The command `tenantry`. A shell starts it, as pip's launchers do: `#!` takes no long path and no space.
LAUNCHER = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''

import sys
from pathlib import Path

here = Path.cwd()
for root in (here, *here.parents, Path({root!r})):
    if (root / "Pulumi.yaml").is_file() and (root / "cli" / "app.py").is_file():
        sys.path.insert(0, str(root))
        break

from cli.app import main

main()
"""


def say(text: str) -> None:
    print(f"tenantry: {text}", file=sys.stderr)
    sys.stderr.flush()


def main() -> int:
    """Make what is missing; the exit status."""
    if sys.version_info < MINIMUM:
        return other_python()
    folder = ROOT / sys.argv[1]
    tools = Path(os.environ.get("TENANTRY_TOOLS_DIR", ROOT / ".tools"))
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another run is installing the requirements; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        status = 0 if is_ready(folder) else make(folder)
        return status or write_launcher(folder)


def other_python() -> int:
    """Go on with a newer Python, where there is one."""
    for name in NEWER:
        found = shutil.which(name)
        if found and runs(found, "import venv"):
            os.execv(found, [found, *sys.argv])  # noqa: S606 - no shell is wanted
    version = ".".join(map(str, sys.version_info[:2]))
    print(
        f"error: {sys.executable} is Python {version} and this needs 3.11 or newer, of which there is none"
        " on PATH; install one, or name it: make PYTHON=/path/to/python3",
        file=sys.stderr,
    )
    return 1


def is_ready(folder: Path) -> bool:
    """Whether the stamp is newer than the lists, and the environment's Python still runs."""
    stamp = folder / ".ready"
    if not stamp.exists() or any(x.stat().st_mtime > stamp.stat().st_mtime for x in LISTS):
        return False
    return runs(folder / "bin" / "python", "import pip")


def runs(python: "str | Path", code: str) -> bool:
    try:
        return subprocess.call([str(python), "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make(folder: Path) -> int:
    python = folder / "bin" / "python"
    if not runs(python, "import pip"):
        wrong = run([sys.executable, "-m", "venv", "--clear", str(folder)])
        if wrong:
            return fail(wrong, "on Debian and Ubuntu, install python3-venv first")
    say(f"installing pinned requirements into {folder}: once, some 30 to 90 seconds")
    wrong = install(str(python))
    if wrong:
        return fail(wrong, "see that the package registry can be reached, then run the same command again")
    (folder / ".ready").touch()
    return 0


def write_launcher(folder: Path) -> int:
    """The command `tenantry`, where it is not as it should be; it uses the checkout that one stands in."""
    target = folder / "bin" / "tenantry"
    text = LAUNCHER.format(python=shlex.quote(str(folder / "bin" / "python")), root=str(ROOT))
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
        target.chmod(0o755)
    return 0


def install(python: str) -> str:
    """Install with uv, which takes a third of pip's time; with pip where uv may not or does not.

    Returns what went wrong, or nothing.
    """
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    if not has_registry_of_its_own(python) and not run([*pip, "-r", str(ROOT / "devtools" / "uv.txt")]):
        uv = [python, "-m", "uv", "pip", "install", "-q", "--python", python, "--require-hashes"]
        if not run([*uv, "--compile-bytecode", *EVERYTHING]):
            return ""
    return run([*pip, *EVERYTHING])


def has_registry_of_its_own(python: str) -> bool:
    """Whether pip is told where packages come from: uv would not know, and would ask elsewhere."""
    listed = subprocess.run(
        [python, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, check=False
    ).stdout
    return any(word in listed.decode() for word in ("index-url", "no-index", "proxy"))


def run(command: "list[str]") -> str:
    """Run a command and say now and then that it still runs; the end of its output where it fails."""
    begun = time.time()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                process.wait(timeout=EVERY)
            except subprocess.TimeoutExpired:
                say(f"still installing, {time.time() - begun:.0f} s")
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode == 0:
            return ""
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    return text[-600:] or f"{command[0]} ended with status {process.returncode}"


def fail(output: str, remedy: str) -> int:
    print(f"{output}\nerror: the virtual environment could not be made; {remedy}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who stops `make` interrupts what it does
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("error: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        sys.exit(130)
