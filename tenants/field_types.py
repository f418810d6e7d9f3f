"""Field types of this project's values: ids, names, addresses, tags, quotas."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from config.fields import Choice, Labels, Text, Whole
from config.text_fields import DOMAIN, ONE_LINE
from tenants.residency import REGIONS

TENANT_ID: Final = Text(
    re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"),
    "lower-case letters, digits and single hyphens, beginning with a letter, such as acme-pay",
    longest=20,
    shortest=3,
)
PLAN_ID: Final = Text(re.compile(r"[a-z][a-z0-9-]*"), "lower-case letters, digits and hyphens", longest=30)
PLAN_REFERENCE: Final = Text(re.compile(r"\S+"), "the id of a service plan in plans.yaml", longest=30)
DISPLAY_NAME: Final = Text(
    ONE_LINE.pattern,
    "a name of one line without invisible characters or spaces at its ends",
    longest=80,
)
PROTECTED_COLUMN: Final = Text(
    re.compile(r'[^."\s]+\.[^."\s]+'),
    "a table and a column of the tenant's schema, such as cards.number",
    longest=127,
    refuses=lambda text: (
        "has a longer name than PostgreSQL keeps"
        if any(len(part.encode()) > 63 for part in text.split("."))
        else None
    ),
)
RESIDENCY: Final = Choice(tuple(REGIONS))
INSTANCE_CLASS: Final = Text(
    re.compile(r"db\.[a-z][a-z0-9]{1,9}\.[a-z0-9]{4,12}"),
    "an instance class such as db.t4g.medium",
    longest=30,
)


def _no_moment(text: str) -> str | None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return "is not a moment"
    return None


MOMENT: Final = Text(
    re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
    "a moment in UTC such as 2026-11-27T10:00:00Z",
    longest=20,
    refuses=_no_moment,
)

# Top-level names that lead into somebody's own network or nowhere (RFC 6761, RFC 6762, RFC 7686, RFC 9476).
_PRIVATE_SUFFIXES: Final = (
    "internal",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "alt",
    "lan",
    "home",
    "corp",
)


def _private_host(url: str) -> str | None:
    host = url.removeprefix("https://").split("/", 1)[0].split(":", 1)[0]
    return "points into a private network" if host.lower().rsplit(".", 1)[-1] in _PRIVATE_SUFFIXES else None


WEBHOOK: Final = Text(
    # A host by name, never an address: its last label begins with a letter, so 127.0.0.1, 0x7f.1, [::1]
    # and user@host do not match.
    re.compile(
        rf"https://{DOMAIN}(?::443)?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
    ),
    "an https URL with a public host name such as https://hooks.acme.example/tenantry",
    longest=2048,
    refuses=_private_host,
    format="uri",
)

SOURCE: Final = Text(
    re.compile(rf"https://{DOMAIN}/\S*"), "the https address of the source", longest=300, format="uri"
)

QUOTA_CODE: Final = Text(
    re.compile(r"[a-z0-9-]+/L-[0-9A-F]{8}"),
    "a service's code and a quota's, such as vpc/L-F678F1CE",
    longest=60,
)

# Keys and values of tags: AWS, "Tag naming limits and requirements", 2026-11; 50 tags at most, of which the
# platform uses some itself.
_RESERVED_TAGS: Final = ("tenant", "project", "cell", "environment", "name", "leaving", "moving", "released")


def _reserved_tag(key: str) -> str | None:
    taken = key.lower() in _RESERVED_TAGS or key.lower().startswith("aws:")
    return "is set by the platform" if taken else None


TAGS: Final = Labels(
    key=Text(
        re.compile(r"[A-Za-z][A-Za-z0-9 _.:/=+@-]*"),
        "a tag name other than " + ", ".join(_RESERVED_TAGS) + " and aws:…",
        longest=128,
        refuses=_reserved_tag,
    ),
    # A value that is emptied is never sent, and differs in each run (terraform-provider-aws #37297, #21896,
    # open in 2026-11).
    value=Text(re.compile(r"[A-Za-z0-9 _.:/=+@-]+"), "letters, digits, spaces and _.:/=+-@", longest=256),
    most=20,
    any_case=True,  # of a role's tags IAM takes only one (IAM user guide, "Case sensitivity", 2026-11)
)


RAISED: Final = Labels(
    key=Text(
        re.compile(r"[0-9]{12}(?:/[a-z]{2}(?:-[a-z]+)+-[1-9])?"), "an account, or account/Region", longest=40
    ),
    value=Whole(1, 10_000_000),
    most=1000,
)


def terms(factors: Iterable[str]) -> Labels:
    """A sum: products of the factors, each with a whole number of times."""
    one = "|".join(factors)
    return Labels(
        key=Text(
            re.compile(rf"(?:{one})(?: \* (?:{one}))*"),
            f"factors out of {', '.join(factors)}, joined by *",
            longest=80,
        ),
        value=Whole(0, 100_000),
        most=20,
    )
