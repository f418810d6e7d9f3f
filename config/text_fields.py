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


# Control codes, breaks of lines, zero-width characters, changes of the direction of writing: with them a
# name on a screen, in a bill or in an approval reads as another's (Unicode TR 36, 2014-09). The joiners
# U+200C and U+200D, which Persian and Hindi need, are allowed.
_UNSEEN: Final = r"\u0000-\u001F\u007F-\u009F\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF"


ONE_LINE: Final = Text(
    re.compile(rf"[^\s{_UNSEEN}](?:[^{_UNSEEN}]*[^\s{_UNSEEN}])?"),
    "text of one line without invisible characters",
    longest=200,
)
