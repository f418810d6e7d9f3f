"""Writes the descriptions of Pulumi.yaml: `make generate`.

What a setting means, with its units and limits, is said once: at its field in `plan/settings.py` or
`plan/organization/settings.py`. A refused value is told it from there, and the engine's users from here.
"""

import json
import re
from pathlib import Path
from typing import Final

from config.settings_fields import keys_of
from plan.organization import OrganizationSettings
from plan.settings import Settings

PROJECT_FILE: Final = Path(__file__).parents[2] / "Pulumi.yaml"
# A key of the project's own, then what it has, up to and with its description.
_DECLARED: Final = re.compile(
    r"^(  (?P<key>[A-Za-z]+):\n(?:    (?!description:).*\n)*)(?:    description: .*\n)?", re.MULTILINE
)


def render(text: str) -> str:
    """A project file with the descriptions as they are to be; all else stays."""
    known = {**keys_of(OrganizationSettings), **keys_of(Settings)}

    def described(found: re.Match[str]) -> str:
        field = known.get(found["key"])
        if field is None:
            return found[0]
        return (
            f"{found[1]}    description: {json.dumps(_sentence(field.metadata['doc']), ensure_ascii=False)}\n"
        )

    head, config = text.split("\nconfig:\n", 1)
    return f"{head}\nconfig:\n{_DECLARED.sub(described, config)}"


def _sentence(doc: str) -> str:
    return doc[0].upper() + doc[1:]
