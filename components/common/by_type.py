"""Resources of the SDK's classes without the classes, for a service whose types take long to load.

Written only where loading them is a tenth of a run. The type checker still sees the SDK's class: import that
under `TYPE_CHECKING`, and make this one otherwise. What is registered is the same, which a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pulumi
from pulumi import ResourceOptions


class RegisteredByType(pulumi.CustomResource):
    """A resource of AWS whose inputs have the SDK's names, which are spelt for the engine here.

    Not for a resource that takes a map with keys of the user's own, such as tags: they would be spelt anew.
    """

    token: str
    outputs: Sequence[str]

    def __init__(self, resource_name: str, opts: ResourceOptions | None = None, **inputs: Any) -> None:
        unknown = dict.fromkeys(self.outputs)
        options = ResourceOptions.merge(ResourceOptions(version=version("pulumi_aws")), opts)
        super().__init__(self.token, resource_name, unknown | inputs, options)

    def translate_input_property(self, prop: str) -> str:
        first, *others = prop.split("_")
        return first + "".join(map(str.capitalize, others))


def by_type(token: str, *outputs: str) -> type[RegisteredByType]:
    """The class of resources of a type. Of what AWS computes it has these outputs, and no others."""
    return type(
        token,
        (RegisteredByType,),
        {"token": token, "outputs": outputs} | {output: _output(output) for output in outputs},
    )


def _output(name: str) -> property:
    def get(self: RegisteredByType) -> Any:
        return self.__dict__[name]

    return property(get)
