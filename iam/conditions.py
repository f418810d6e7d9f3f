"""IAM's condition operators: what each compares, and what it returns for a missing or malformed value.

Rules: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued
context keys" (source of 2023-05-11, the last that AWS published, and the pages of 2026-11):

- A negated operator is the negation of its pair: of a key that is not there, and of a variable without a
  value, it is true. Of a value that is not of the operator's kind (text where a number is due), AWS writes
  nothing: it is taken to match nothing, so the negated operator is true of that as well.
- Each of an ARN's six colon-separated components is matched by itself. A pattern of fewer, `*` too, matches
  none (assumed, `short-arn-patterns-match-nothing` of sandbox/aws/assumptions.yaml: no page says what IAM
  makes of it).
- A key of several values needs a set operator; without one nothing matches, the negated ones neither.
- `ForAllValues` is true of a key that is not there or empty, `ForAnyValue` is false of it.
- `IfExists`, which every operator but `Null` takes, is true of a key that is not there.
"""

import base64
import datetime
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Final

from iam.variables import Fill, Filled, as_written, components, is_like, text_of


class UnknownOperatorError(ValueError):
    """A condition operator that IAM does not have."""


@dataclass(frozen=True, slots=True)
class Operator:
    """`matches(wanted, value)` says whether one value of the policy and one of the request agree."""

    matches: Callable[[Filled, str], bool]
    negated: bool = False
    variables: bool = False  # whether its values may have policy variables


def holds(name: str, wanted: Sequence[str], values: tuple[str, ...] | None, fill: Fill) -> bool:
    """Whether the request's values of one key (None: it has no such key) satisfy a policy's.

    `fill` puts the request's context into the policy's values. Raises `UnknownOperatorError`.
    """
    quantifier, base, optional = parsed(name)
    if not values or (quantifier and not any(values)):
        values = None  # "a null dataset, such as an empty string"
    if base == "Null":
        return str(values is None).lower() in {w.lower() for w in wanted}
    test = OPERATORS[base]
    if values is None:
        return optional or quantifier == "ForAllValues" or (test.negated and not quantifier)
    texts = [fill(w) if test.variables else as_written(w) for w in wanted]

    def agrees(value: str) -> bool:
        return any(t is not None and test.matches(t, value) for t in texts) is not test.negated

    if quantifier == "ForAllValues":
        return all(map(agrees, values))
    return any(map(agrees, values)) if quantifier else len(values) == 1 and agrees(values[0])


def parsed(name: str) -> tuple[str, str, bool]:
    """`ForAnyValue:StringLikeIfExists` as its set operator or "", its name, and whether `IfExists` is there.

    Raises `UnknownOperatorError` for what IAM does not have, such as `NullIfExists`.
    """
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    known = rest == "Null" or base in OPERATORS
    if not known or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise UnknownOperatorError(f"{name} is no condition operator")
    return quantifier, base, base != rest


# -- what one operator compares


def _string(wanted: Filled, value: str) -> bool:
    return text_of(wanted) == value


def _string_no_case(wanted: Filled, value: str) -> bool:
    return text_of(wanted).lower() == value.lower()  # after its variables are filled in


def _arn(wanted: Filled, value: str) -> bool:
    theirs, mine = components(wanted), value.split(":", 5)
    return len(theirs) == len(mine) == 6 and all(map(is_like, theirs, mine))


def _boolean(wanted: Filled, value: str) -> bool:
    theirs = text_of(wanted).lower()
    return theirs in ("true", "false") and theirs == value.lower()


def _binary(wanted: Filled, value: str) -> bool:
    theirs, mine = _bytes(text_of(wanted)), _bytes(value)
    return theirs is not None and theirs == mine


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # not base64, or no ASCII
        return None


def _address(wanted: Filled, value: str) -> bool:
    """An address alone is the range of itself."""
    if not _RANGE.fullmatch(text_of(wanted)):
        return False
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(text_of(wanted), strict=False)
    except ValueError:
        return False


_RANGE: Final = re.compile(
    r"[0-9A-Fa-f.:]+(/\d{1,3})?", re.ASCII
)  # CIDR, not the netmasks that Python takes too


def _number(text: str) -> Decimal | None:
    """None too of what has more digits in its exponent than any number that is compared."""
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        return None


_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def _moment(text: str) -> Decimal | None:
    """Seconds since 1970: of a date in one of W3C's forms of ISO 8601, or seconds already."""
    found = _DATE.fullmatch(text)
    if not found:
        return _number(text)
    day = f"{found['month']}-{found['day'] or '01'}"
    time = f"{found['minute'] or '00:00'}:{found['second'] or '00'}{found['zone'] or 'Z'}"
    try:
        whole = datetime.datetime.fromisoformat(f"{day}T{time}")
    except ValueError:
        return None
    return (whole - _EPOCH) // _SECOND + Decimal(f"0.{found['fraction'] or 0}")


# A year alone reads as seconds, as any number does.
_DATE: Final = re.compile(
    r"(?P<month>\d{4}-\d\d)(-(?P<day>\d\d)"
    r"(T(?P<minute>\d\d:\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:\d\d))?)?",
    re.ASCII,
)
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SECOND: Final = datetime.timedelta(seconds=1)


def _compared(
    read: Callable[[str], Decimal | None],
    order: Callable[[Decimal, Decimal], bool],
    wanted: Filled,
    value: str,
) -> bool:
    """`order(value, wanted)`; false where one of the two cannot be read."""
    theirs, mine = read(text_of(wanted)), read(value)
    return theirs is not None and mine is not None and order(mine, theirs)


_ORDERS: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_PLAIN: Final[Mapping[str, Operator]] = {
    "StringEquals": Operator(_string, variables=True),
    "StringEqualsIgnoreCase": Operator(_string_no_case, variables=True),
    "StringLike": Operator(is_like, variables=True),
    "ArnEquals": Operator(_arn, variables=True),  # the same as `ArnLike`
    "ArnLike": Operator(_arn, variables=True),
    "Bool": Operator(_boolean, variables=True),
    "BinaryEquals": Operator(_binary),
    "IpAddress": Operator(_address),
    **{f"Numeric{word}": Operator(partial(_compared, _number, order)) for word, order in _ORDERS.items()},
    **{f"Date{word}": Operator(partial(_compared, _moment, order)) for word, order in _ORDERS.items()},
}
_NEGATED: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
OPERATORS: Final[Mapping[str, Operator]] = {
    **_PLAIN,
    **{name: replace(_PLAIN[pair], negated=True) for name, pair in _NEGATED.items()},
}
"""Every condition operator but `Null`, by its name."""
