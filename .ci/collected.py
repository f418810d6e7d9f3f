"""Every committed file with a test in it is collected by pytest: exit 1 names those that are not.

A file that pytest passes over (by its name, its place, a setting) would be green for ever.
"""

import re
import subprocess
import sys
from pathlib import Path

TEST = re.compile(r"^\s*(async )?def test_", re.MULTILINE)


def lines(*command: str) -> list[str]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - as below
    if done.returncode:
        sys.exit(f"{done.stdout[-2000:]}\nerror: {' '.join(command)} ended with status {done.returncode}")
    return done.stdout.splitlines()


def main() -> int:
    written = {
        f for f in lines("git", "ls-files", "*.py") if TEST.search(Path(f).read_text(encoding="utf-8"))
    }
    listed = lines(sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
    missing = sorted(written - {line.split("::", 1)[0] for line in listed if "::" in line})
    for file in missing:
        print(f"error: {file}: no test of it is collected", file=sys.stderr)
    print(f"{len(written)} files with tests, {len(missing)} of them not collected", file=sys.stderr)
    return 1 if missing or not written else 0


if __name__ == "__main__":
    sys.exit(main())
