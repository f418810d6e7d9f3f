"""Field types that many files share: a line of text, a date, an e-mail address."""

import re
from typing import Final

from config.fields import Day, Text

DATE: Final = Day()


_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


DOMAIN: Final = rf"(?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]{{0,61}}[A-Za-z0-9]"


EMAIL: Final = Text(
    re.compile(rf"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@{DOMAIN}"),
    "an address such as ops@acme.example",
    longest=254,
    format="email",
)


ONE_LINE: Final = Text(re.compile(r"\S(?:.*\S)?"), "text of one line", longest=200)
