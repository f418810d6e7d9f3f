"""Builders of the examples of rules."""

from collections.abc import Mapping
from typing import Any, Final

from policies.model import TENANCY
from policies.rule import Example, Made, Ref

KEY: Final = Made(
    "aws:kms/key:Key",
    "key",
    {
        "description": "Of an example",
        "enableKeyRotation": True,
        "rotationPeriodInDays": 90,
        "deletionWindowInDays": 30,
    },
)
BY_KEY: Final = Ref("key")
AWS_KEY: Final = "alias/aws/"


def example(
    kind: str,
    inputs: Mapping[str, Any],
    *before: Made,
    after: tuple[Made, ...] = (),
    protect: bool = False,
) -> Example:
    """A resource named `it`, what it needs (the key, where it names that), and what is made for it."""
    needs = (KEY,) if BY_KEY in _leaves(inputs) and KEY not in before else ()
    return Example(Made(kind, "it", inputs, protect), (*needs, *before), after)


def _leaves(found: Any) -> list[Any]:
    if isinstance(found, Mapping):
        return [leaf for v in found.values() for leaf in _leaves(v)]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(found, (list, tuple)):
        return [leaf for v in found for leaf in _leaves(v)]  # pyright: ignore[reportUnknownVariableType]
    return [found]


BUCKET_TYPE: Final = "aws:s3/bucket:Bucket"
BUCKET: Final = Made(BUCKET_TYPE, "bucket", {"forceDestroy": False})


def below_tenant(kind: str, inputs: Mapping[str, Any]) -> Example:
    """A resource below the component of a tenant, where everything is that tenant's."""
    tenancy = Made(TENANCY, "amber-pay", {})
    return Example(Made(kind, "it", inputs, parent=tenancy.name), (tenancy,))
