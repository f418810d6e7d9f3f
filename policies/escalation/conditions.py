"""How conditions of a policy decide about a request that a role of the plan makes itself.

The caller chooses some keys (the Region, the tags that it asks for), some are known (the caller, the tags of
the resource), and some are never part of a direct call. The rest cannot be decided: it neither closes nor
opens a path, which is reported as "under a condition". Which keys are which:
IAM user guide, "AWS global condition context keys", and the services' own pages, 2026-11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from iam.conditions import OPERATORS, UnknownOperatorError, parsed
from iam.conditions import holds as satisfies
from iam.variables import as_written

Condition = Mapping[str, Mapping[str, tuple[str, ...]]]
Facts = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case → the value in this request; no values: the request has no such key.

Several are the same value in each way that it may be written, as a role's ARN and the plan's word for it.
"""


class Certainty(IntEnum):
    """Sorted so that the least of several is what they say together."""

    NO = 0
    UNSURE = 1
    CHOSEN = 2  # as the caller likes: it fulfils an allowance, and avoids a refusal
    YES = 3


# Keys that the caller fills in.
_CHOSEN: Final = (
    *("aws:requesttag/", "aws:tagkeys", "aws:requestedregion", "aws:securetransport", "aws:useragent"),
    *(
        "kms:encryptioncontext",
        "s3:prefix",
        "s3:delimiter",
        "s3:max-keys",
        "s3:x-amz-",
        "s3:signatureversion",
    ),
    *("sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys", "secretsmanager:versionstage"),
    *("s3:tlsversion", "secretsmanager:versionid", "sns:protocol", "sns:endpoint", "ssm:overwrite"),
)
# Keys that a role's own request never has: its session is of a service, which has no second factor, and
# nobody calls on its behalf.
ABSENT: Final = (
    *("aws:multifactorauthage", "aws:multifactorauthpresent", "aws:sourceaccount", "aws:sourcearn"),
    *("aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:principalservicename"),
    *("aws:federatedprovider", "aws:username"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a condition holds, and what it hangs on where that cannot be told."""

    truth: Certainty
    doubts: tuple[str, ...] = ()


def holds(condition: Condition, facts: Facts) -> Held:
    """All keys of all operators together."""
    least, doubts = Certainty.YES, list[str]()
    for operator, keys in condition.items():
        for key, values in keys.items():
            truth = _test(operator, key.lower(), values, facts)
            least = min(least, truth)
            if truth is Certainty.UNSURE:
                doubts.append(f"{operator} {key} {' | '.join(values)}")
    return Held(least, tuple(doubts) if least is Certainty.UNSURE else ())


def _test(operator: str, key: str, values: tuple[str, ...], facts: Facts) -> Certainty:
    given = facts.get(key)
    if given is None and key.startswith(_CHOSEN):
        return Certainty.CHOSEN
    if given is None and key in ABSENT:
        given = ()
    if given is None or (given and any("${" in v for v in values)):
        return Certainty.UNSURE
    try:
        quantifier, name, _ = parsed(operator)
    except UnknownOperatorError:
        return Certainty.UNSURE
    if quantifier or len(given) < 2:
        return _truth(satisfies(operator, values, given, as_written))
    spellings = [satisfies(operator, values, (one,), as_written) for one in given]
    is_negated = name in OPERATORS and OPERATORS[name].negated
    return _truth(all(spellings) if is_negated else any(spellings))


def _truth(yes: bool) -> Certainty:
    return Certainty.YES if yes else Certainty.NO
