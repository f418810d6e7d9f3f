"""Fault plans: what fails, where and when; validated strictly before the engine starts.

A plan is YAML or JSON, in `SANDBOX_FAULTS` itself or in the file that it names:

    seed: 7
    faults:
      - {do: throttle, type: "aws:kms/*", times: 3}
      - {do: kill, victim: engine, signal: KILL, call: create, at: 40}

Counts begin anew with each run of the engine. `at` counts the calls that a fault is about, in the order
in which they come, which is the same each time for one resource or with `--parallel 1`; `chance` looks
at the seed and the URN alone, so that no order of calls changes what it hits.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, cast

import yaml

VARIABLE: Final = "SANDBOX_FAULTS"
CALLS: Final = ("create", "update", "delete", "read", "check", "diff", "invoke")
CHANGES: Final = ("create", "update", "delete")
ALWAYS: Final = 1_000_000_000
# Fault → the fields that it takes beside those that say where and when, and what it does.
KINDS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "fail": (frozenset({"code", "message"}), "the call is refused"),
    "throttle": (frozenset(), "Rate exceeded; retried as the AWS SDK does, in vain after 25 attempts"),
    "timeout": (frozenset(), "the request never arrives"),
    "lose-reply": (frozenset(), "the call is carried out and its answer is lost"),
    "stale-reads": (frozenset({"reads"}), "the first reads of a resource do not see it yet"),
    "hang": (
        frozenset({"seconds", "until"}),
        "no answer, for some seconds, until a file is there, or for ever",
    ),
    "kill": (frozenset({"victim", "signal", "when"}), "the engine or the plugin gets a signal"),
    "disk-full": (frozenset({"victim", "seconds"}), "no byte more can be written, for ever or for a while"),
    "revoke": (frozenset({"code", "message"}), "every call from here on lacks valid credentials"),
    "quota": (frozenset({"limit"}), "a creation beyond so many of a type in the account"),
    "fail-late": (
        frozenset({"code", "message"}),
        "the call is carried out, and what the provider does after it is refused",
    ),
}
NAMED: Final = {
    "call": (*CALLS, "change"),
    "victim": ("engine", "plugin"),
    "signal": ("INT", "TERM", "KILL"),
    "when": ("before", "after"),
}
# Field → what it is a number of, from where and up to where.
NUMBERS: Final[Mapping[str, tuple[Any, float, float]]] = {
    "at": (int, 1, ALWAYS),
    "times": (int, 1, ALWAYS),
    "reads": (int, 1, ALWAYS),
    "limit": (int, 0, ALWAYS),
    "chance": (int | float, 0, 1),
    "seconds": (int | float, 0, ALWAYS),
}


class FaultPlanError(ValueError):
    """A plan that cannot be followed; the text says where, what is wrong and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong. `call`, `type` and `urn` say where, `at`, `times`, `chance` when."""

    do: str
    call: str = "change"  # create, update or delete
    type: str = "*"
    urn: str = "*"
    at: int = 1  # of the calls it is about, the first that it hits, from 1
    times: int = 1  # how many from there on; "always" in a plan
    chance: float | None = None  # instead of `at` and `times`
    code: str | None = None
    message: str | None = None
    reads: int = 1
    seconds: float = ALWAYS
    until: str | None = None  # path of a file
    victim: str = "engine"
    signal: str = "KILL"
    when: str = "after"
    limit: int = 0

    def is_about(self, call: str, token: str, urn: str) -> bool:
        calls = CHANGES if self.call == "change" else (self.call,)
        return call in calls and fnmatchcase(token, self.type) and fnmatchcase(urn, self.urn)


@dataclass(frozen=True)
class Plan:
    seed: int
    faults: tuple[Fault, ...]


def read_plan(env: Mapping[str, str]) -> Plan | None:
    """The plan of an environment, None where it has none; raises `FaultPlanError`."""
    given = env.get(VARIABLE, "").strip()
    if not given:
        return None
    inline = given.startswith("{") or "\n" in given
    where, text = (VARIABLE, given) if inline else (given, _text(Path(given)))
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise FaultPlanError(f"{place}: this is neither YAML nor JSON: {_reason(wrong)}") from None
    return _plan(where, found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is not text"
        raise FaultPlanError(
            f"{VARIABLE}: {path} cannot be read ({why}); name a file with a plan, or give the plan itself"
        ) from None


def _reason(wrong: yaml.YAMLError) -> str:
    return str(getattr(wrong, "problem", None) or "it cannot be parsed")


def _plan(where: str, found: Any) -> Plan:
    if not isinstance(found, dict):
        raise FaultPlanError(f"{where}: a fault plan is a mapping with `faults`, a list, and maybe `seed`")
    plan = cast("Mapping[Any, Any]", found)
    _refuse_unknown(where, plan, ("seed", "faults"))
    seed, faults = plan.get("seed", 0), plan.get("faults")
    if type(seed) is not int:
        raise FaultPlanError(f"{where}: seed: expected a whole number, got {seed!r}")
    if not isinstance(faults, list) or not faults:
        raise FaultPlanError(f"{where}: faults: expected a list of at least one fault, got {faults!r}")
    listed = cast("list[Any]", faults)
    return Plan(seed, tuple(_fault(f"{where}: faults[{i}]", f) for i, f in enumerate(listed)))


def _fault(where: str, found: Any) -> Fault:
    is_mapping = isinstance(found, dict)
    given = cast("Mapping[Any, Any]", found) if is_mapping else {"do": found}
    do = given.get("do")
    if not is_mapping or do not in KINDS:
        raise FaultPlanError(f"{where}: do: expected one of {', '.join(KINDS)}; got {do!r}")
    own, _ = KINDS[do]
    places = ("do", "call", "type", "urn", "at", "times", "chance")
    _refuse_unknown(f"{where} ({do})", given, (*places, *sorted(own)))
    values: dict[str, Any] = {key: _value(f"{where}: {key}", key, value) for key, value in given.items()}
    if "chance" in values and values.keys() & {"at", "times"}:
        raise FaultPlanError(f"{where}: chance stands instead of `at` and `times`; leave one or the other")
    if do == "quota":
        if "limit" not in values or values.get("type", "*") == "*":
            raise FaultPlanError(f"{where}: a quota needs a type and a limit")
        values = {"call": "create", "times": ALWAYS} | values
    if do == "stale-reads":
        values["call"] = "read"
    return Fault(**values)


def _value(where: str, key: str, value: Any) -> Any:
    if key == "times" and value == "always":
        return ALWAYS
    if key in NAMED:
        right, wanted = value in NAMED[key], f"one of {', '.join(NAMED[key])}"
    elif key in NUMBERS:
        (of, least, most), number = NUMBERS[key], not isinstance(value, bool)
        right = number and isinstance(value, of) and least <= value <= most
        wanted = f"a {'whole ' if of is int else ''}number from {least} to {most}"
    else:
        right, wanted = isinstance(value, str) and bool(value), "text"
    if not right:
        raise FaultPlanError(f"{where}: expected {wanted}; got {value!r}")
    return value


def _refuse_unknown(where: str, found: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise FaultPlanError(f"{where}: {key}: no such field{meant} It takes {', '.join(known)}")
