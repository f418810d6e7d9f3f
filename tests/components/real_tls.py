"""The private CA under mocks whose keys and certificates are real: made by the sandbox's tls plugin."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

import pulumi

from components.services.private_ca import PrivateCa, PrivateCaArgs
from devtools import mocks
from plan.services.certificates import CaPlan
from sandbox.providers.tls import KINDS
from tests.components.parts import record, secret_free, shared

Made = dict[tuple[str, str], dict[str, Any]]


def _whole(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers come over the wire as floats; a plugin is handed whole ones."""
    return {k: int(v) if isinstance(v, float) else v for k, v in inputs.items()}


@contextmanager
def real_tls(made: Made) -> Iterator[None]:
    """What was `made` before stays, as in a state: only what has other inputs is made anew."""
    echo: Callable[..., Any] = mocks.Echo.new_resource

    def new_resource(self: Any, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ not in KINDS:
            return echo(self, args)
        inputs, key = _whole(secret_free(args.inputs)), (args.typ, args.name)
        if key not in made or made[key]["inputs"] != inputs:
            made[key] = {"inputs": inputs, "outputs": {**KINDS[args.typ].defaults, **inputs}}
            made[key]["outputs"] |= KINDS[args.typ].make(made[key]["outputs"])
        return f"{args.name}-id", dict(made[key]["outputs"])

    with patch.object(mocks.Echo, "new_resource", new_resource):
        yield


@dataclass
class Authority:
    """The CA of one cell over several deployments."""

    plan: CaPlan
    made: Made = field(default_factory=dict)

    def deploy(self, **changes: Any) -> "Deployed":
        """One `up` with a plan changed so; keys and certificates that need not change do not."""
        self.plan = replace(self.plan, **changes)
        with real_tls(self.made):
            recording = record(
                lambda: PrivateCa(
                    "ca", PrivateCaArgs(plan=self.plan, key_arn="arn:ca-key", shared=shared("prod"))
                ),
                "prod",
            )
        return Deployed(recording)


@dataclass
class Deployed:
    """What services and balancers read after a deployment."""

    recording: mocks.Recording

    def secret(self, role: str) -> Mapping[str, str]:
        version = self.recording.one("secretVersion:SecretVersion", f"ca-{role}-secret-version")
        return json.loads(secret_free(version.inputs["secretString"]))

    def stored(self, role: str) -> str:
        return self.recording.one("s3/bucketObjectv2:BucketObjectv2", f"ca-{role}-object").inputs["content"]
