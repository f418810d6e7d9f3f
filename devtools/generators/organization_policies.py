"""Writes organization/policies/, for review (`python -m devtools.generators.organization_policies`)."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.cells import organization_of

FOLDER = Path(__file__).parents[2] / "organization" / "policies"


def render() -> Mapping[str, str]:
    """File name → text, of the committed organization. AWS gets the same without the white space."""
    return {f"{p.name}.json": json.dumps(p.data, indent=2) + "\n" for p in organization_of().policies}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    texts = render()
    for old in FOLDER.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {len(texts)} policies\n")
