"""How a rule is written: a generator of refusals over the request and the existing resources."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.aws.templates import UNKNOWN
from sandbox.cloud.store import Row, Store

Values = Mapping[str, Any]


class CloudError(Exception):
    """What AWS would answer instead: a code and a sentence."""


@dataclass(frozen=True)
class Refusal:
    """AWS's code and words, and the input that they are about."""

    code: str
    words: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.words}"


@dataclass(frozen=True)
class RuleContext:
    """What a rule sees: the cloud, the inputs, and what the resource was before where it was."""

    token: str
    inputs: Values
    store: Store
    before: Row | None = None
    id: str = ""

    def known(self, key: str) -> Any:
        """An input, None where it is absent or not known yet."""
        value = self.inputs.get(key)
        return None if value == UNKNOWN else value

    def others(self, kind: str, **having: Any) -> Iterator[Row]:
        """Resources of a type and Region, other than this one, with these inputs."""
        for row in self.store.in_region(kind):
            if row.id != self.id and all(row.outputs.get(k) == v for k, v in having.items()):
                yield row


Rule = Callable[[RuleContext], Iterator[Refusal]]
Registry = dict[str, list[Rule]]
INPUTS: Final[Registry] = {}  # by the inputs alone
CREATE: Final[Registry] = {}  # creation and update, against the cloud
DELETE: Final[Registry] = {}
_checked: Final[dict[str, dict[str, list[str]]]] = {}


def rule(registry: Registry, *tokens: str, checks: tuple[str, ...] = ()) -> Callable[[Rule], Rule]:
    """Ask a rule of these types; `checks` names the inputs that it judges, for the coverage report."""

    def register(made: Rule) -> Rule:
        for token in tokens:
            registry.setdefault(token, []).append(made)
            for key in checks:
                _checked.setdefault(token, {}).setdefault(key, []).append(made.__name__)
        return made

    return register


def checked(token: str) -> Mapping[str, list[str]]:
    """Input → the rules written by hand that judge it."""
    return _checked.get(token, {})


def raise_first(registry: Registry, doing: str, at: RuleContext) -> None:
    """Raise `CloudError` with what AWS refuses first."""
    for asked in registry.get(at.token, ()):
        for refusal in asked(at):
            raise CloudError(f"{doing}: {refusal}")
