"""`make generate` writes every generated file; with `--check` (`make lint`) it lists the stale ones."""

import argparse
import sys

from devtools.generators import registered


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m devtools.generators", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    options = parser.parse_args(words)
    act, says = (
        (registered.stale, "is stale; run make generate") if options.check else (registered.write, "written")
    )
    found = [path for generator in registered.GENERATORS for path in act(generator)]
    sys.stdout.writelines(f"{path} {says}\n" for path in found)
    return 1 if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
