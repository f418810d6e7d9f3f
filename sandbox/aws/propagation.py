"""A role or bucket that was made a moment ago is not known everywhere: `propagation.yaml`.

The first creation or update that names one to a service which has not heard of it is refused, once, as AWS
would. Where the provider waits, it has tried again and goes on; where it does not, the refusal is its answer,
and the next run works. It is counted and not timed: runs are the same each time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import yaml

from iam.documents import DocumentError, parse
from sandbox.aws.refusals.documents import DOCUMENTS, IDENTITY
from sandbox.aws.refusals.relations import words
from sandbox.aws.refusals.rule import Refusal, RuleContext
from sandbox.aws.type_descriptions import HERE, LOADER, describe, described, service_of
from sandbox.cloud.store import Row

ROLE, BUCKET = "aws:iam/role:Role", "aws:s3/bucket:Bucket"
PRINCIPALS: Final = "principals"
KINDS: Final[Mapping[str, str]] = {"role": ROLE, "bucket": BUCKET, PRINCIPALS: ROLE}
NOUNS: Final[Mapping[str, str]] = {"role": "a role", "bucket": "a bucket", PRINCIPALS: "principals"}
FILE: Final = HERE / "propagation.yaml"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the provider does where a service has not heard of something, and who says it."""

    file: str
    function: str
    waits: list[str] = field(default_factory=list)  # of create and update
    until: str = ""
    retries: str = ""  # words of the answer for which it tries again
    says: str = ""  # who says what AWS answers, where the provider waits for nothing


@dataclass(frozen=True, kw_only=True)
class Naming:
    """An input that names a role, a bucket, or principals, and what follows where they are new."""

    names: str
    source: str
    answer: list[str] = field(default_factory=list)  # code and words
    checked: bool = True

    @property
    def behind(self) -> Source:
        return sources()[self.source]

    def waits_for(self, action: str) -> bool:
        """Whether the provider tries again until AWS takes it."""
        source = self.behind
        return action in source.waits and source.retries in ": ".join(self.answer)

    def refusal(self, key: str, word: str) -> Refusal:
        code, text = self.answer
        return Refusal(code, text.format(id=word), key)


@dataclass(frozen=True)
class Unheard:
    """A word of an input that means what a service has not heard of."""

    key: str
    word: str
    naming: Naming
    service: str


@cache
def _file() -> Mapping[str, Any]:
    # The loader is yaml's safe one.
    return yaml.load(FILE.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506


@cache
def sources() -> Mapping[str, Source]:
    return {name: Source(**found) for name, found in _file()["sources"].items()}


@cache
def rows() -> Mapping[str, Mapping[str, Naming]]:
    """Type → input → what happens where it names something new."""
    return {t: {key: Naming(**row) for key, row in found.items()} for t, found in _file()["rows"].items()}


def unheard(at: RuleContext) -> list[Unheard]:
    """What a request names of which its service has not heard; what it named before is no news."""
    return [
        Unheard(key, word, naming, service)
        for key, naming in rows().get(at.token, {}).items()
        if naming.checked
        for service in [_service(at, naming)]
        for word in _newly_named(at, key, naming)
        if not at.store.has_heard(service, word) and at.store.known(KINDS[naming.names], word)
    ]


def not_waited_for(found: Iterable[Unheard], action: str) -> Iterator[Refusal]:
    """AWS's answers that the provider hands on."""
    for one in found:
        if not one.naming.waits_for(action):
            yield one.naming.refusal(one.key, one.word)


def things(row: Row) -> list[str]:
    """The words by which a role or bucket is named; none for what is neither."""
    return [row.id, str(row.outputs.get("arn"))] if row.type in (ROLE, BUCKET) else []


def _service(at: RuleContext, naming: Naming) -> str:
    """Who has to have heard of it. Of a bucket all others ask S3."""
    if naming.names == "bucket":
        return "s3"
    region = "-" if describe(at.token).regionless else at.store.region
    return f"{service_of(at.token)} of {at.store.account} in {region}"


def _newly_named(at: RuleContext, key: str, naming: Naming) -> list[str]:
    before = {*_named(at.before.inputs, key, naming)} if at.before else set[str]()
    return [w for w in dict.fromkeys(_named(at.inputs, key, naming)) if w not in before]


def _named(inputs: Mapping[str, Any], key: str, naming: Naming) -> list[str]:
    found = list(words(inputs, key.split(".")))
    return [p for text in found for p in _principals(text)] if naming.names == PRINCIPALS else found


def _principals(document: str) -> list[str]:
    if ":role/" not in document:  # of the many documents few name a role
        return []
    try:
        statements = parse(document)
    except DocumentError:  # which is refused for that
        return []
    named = [s for one in statements for s in (one.principals, one.not_principals)]
    return [p for principals in named for p in principals.get("AWS", ()) if ":role/" in p]


def relations() -> dict[tuple[str, str], str]:
    """Type and input → what it names, as the descriptions of types and the rules on documents have it."""
    kinds = {ROLE: "role", BUCKET: "bucket"}
    refs = [(t, k, v) for t in described() for k, v in describe(t).refs.items() if v in kinds]
    documents = [(token, key) for token, key in DOCUMENTS if token not in IDENTITY]
    return {(t, k): kinds[v] for t, k, v in refs} | dict.fromkeys(documents, PRINCIPALS)


def findings(named: Mapping[tuple[str, str], str]) -> list[str]:
    """What names something and has no row, and rows of what names nothing."""
    place = f"sandbox/aws/{FILE.name}"
    there = {(token, key): naming.names for token, found in rows().items() for key, naming in found.items()}
    missing = [
        f"{token} names {NOUNS[what]} in `{key}`, and has no row for that in {place}: add what AWS answers"
        " before it is known everywhere and what the provider does then, or `checked: false`"
        for (token, key), what in sorted(named.items() - there.items())
    ]
    stale = [
        f"{token} does not name {NOUNS[what]} in `{key}`: take its row out of {place}"
        for (token, key), what in sorted(there.items() - named.items())
    ]
    return missing + stale


def behaviour(token: str) -> Iterator[str]:
    """What the page of coverage says of a type."""
    for key, naming in rows().get(token, {}).items():
        yield _sentence(key, naming)


def _sentence(key: str, naming: Naming) -> str:
    source = naming.behind
    about, place = f"`{key}` names {NOUNS[naming.names]}", f"`{source.function}`, {source.file}"
    if not naming.checked:
        return f"{about}: not looked at then ({source.says})."
    code = f"{about}: {naming.answer[0]}, once"
    if not source.waits:
        return f"{code}; the provider does not wait ({place}; {source.says})."
    return f"{code}; the provider waits in {' and '.join(source.waits)} ({place}, {source.until})."
