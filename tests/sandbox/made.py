"""A resource as the engine makes one, reads it anew and updates it, without the engine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.aws.cloud import GLOBAL
from sandbox.aws.type_descriptions import describe
from sandbox.providers.aws import Aws


@contextmanager
def nothing_refused() -> Iterator[None]:
    """What a resource names need not be there."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sandbox.aws.cloud.rules_enabled", lambda: False)
        yield


@dataclass
class Made:
    """A resource that was made, and what its state is."""

    token: str
    aws: Aws
    id: str
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]

    def differs(self, inputs: Mapping[str, Any] | None = None) -> set[str]:
        """The inputs that the next run finds changed."""
        news = self.inputs if inputs is None else inputs
        found = self.aws.diff(self.token, self.inputs, self.state, news, [])
        return {*found.added, *found.removed, *found.updated}

    def refreshed(self) -> "Made":
        read = self.aws.read(self.token, self.id, self.inputs, self.state, known=True)
        assert read is not None
        return Made(self.token, self.aws, self.id, self.inputs, read[1])

    def forget(self) -> None:
        """So that the next may have the same name; even what is protected."""
        store = self.aws.cloud.store
        with store.change():
            store.remove(self.token, self.id, GLOBAL if describe(self.token).regionless else None)

    def updated(self) -> "Made":
        with nothing_refused():
            outputs = self.aws.update(self.token, self.id, "urn:pulumi:dev::p::t::r", self.state, self.inputs)
        return Made(self.token, self.aws, self.id, self.inputs, outputs)


def make(aws: Aws, token: str, given: Mapping[str, Any], name: str = "r") -> Made:
    with nothing_refused():
        inputs = aws.check(token, name, given, {}, b"seed").inputs
        made, state = aws.create(token, f"urn:pulumi:dev::p::{token}::{name}", inputs, False)
    return Made(token, aws, made, inputs, state)
