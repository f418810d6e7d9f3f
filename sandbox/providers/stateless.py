"""Providers whose resources exist in the state only, such as random and tls: every change replaces."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.providers.plugin import UNKNOWN, Checked, Diffed, Provider, Refused, Values


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type: what makes its outputs, its defaults, and what is wrong with given inputs."""

    make: Callable[[Values], dict[str, Any]]
    outputs: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problems: Callable[[Values], list[tuple[str, str]]] = lambda _: []
    in_place: frozenset[str] = frozenset()  # inputs that change without a new resource
    due: Callable[[Values], bool] = lambda _: False  # whether the state asks to be made anew
    id: str | None = None  # the output that is the id


class Stateless(Provider):
    """`kinds` by token, and the file that would describe one more."""

    def __init__(self, version: str, kinds: Mapping[str, Kind], source: str) -> None:
        self.version, self.kinds, self.source = version, kinds, source

    def _kind(self, token: str) -> Kind:
        if token not in self.kinds:
            raise Refused(f"the sandbox does not know {token}: {self.source} would describe it")
        return self.kinds[token]

    def check(self, token: str, name: str, news: Values, olds: Values, seed: bytes) -> Checked:
        kind = self._kind(token)
        inputs = {**kind.defaults, **{k: v for k, v in news.items() if v is not None}}
        known = {k: v for k, v in inputs.items() if v != UNKNOWN}
        return Checked(inputs, kind.problems(known))

    def diff(self, token: str, old_inputs: Values, state: Values, news: Values, ignored: list[str]) -> Diffed:
        kind = self._kind(token)
        keys = {k for k in old_inputs.keys() | news.keys() if old_inputs.get(k) != news.get(k)} - set(ignored)
        if kind.due(state):
            keys |= {"readyForRenewal"}
        return Diffed(updated=frozenset(keys), replaces=frozenset(keys) - kind.in_place)

    def create(self, token: str, urn: str, inputs: Values, preview: bool) -> tuple[str, Values]:
        kind = self._kind(token)
        if preview:
            return "", {**inputs, **dict.fromkeys(kind.outputs, UNKNOWN)}
        made = {**inputs, **kind.make(inputs)}
        return str(made[kind.id]) if kind.id else uuid.uuid4().hex, made

    def read(
        self, token: str, resource_id: str, inputs: Values, state: Values, *, known: bool
    ) -> tuple[Values, Values] | None:
        return inputs, state

    def update(self, token: str, resource_id: str, urn: str, state: Values, inputs: Values) -> Values:
        return {**state, **inputs}

    def delete(self, token: str, resource_id: str) -> None: ...
