"""Resources that no stack made: AWS itself, or somebody before."""

from typing import Any, Final

from sandbox.aws.templates import expand
from sandbox.aws.type_descriptions import describe, is_global
from sandbox.cloud.store import Row, Store

GLOBAL: Final = "-"  # the Region of what has none
URN: Final = "urn:pulumi:aws::aws::{kind}::{region}"  # of no stack


def make_by_aws(kind: str, there: Store, **inputs: Any) -> str | None:
    """Make one within the caller's transaction, unless there is such a one. The id; None where there was one.

    As `Cloud.create` makes it, names and all; what AWS does itself is asked no rules.
    """
    described = describe(kind)
    region = GLOBAL if described.regionless else there.region
    unique = "\x00".join(str(inputs.get(key)) for key in described.unique or ())
    physical = str(inputs.get(described.named)) if described.named else ""
    words = {"account": there.account, "region": there.region, "physical": physical, **inputs}
    id_ = str(expand(described.id, words))
    if described.unique is not None:
        scope = "" if is_global(kind) else f"{there.account}/{region}"
        if there.is_claimed(scope, kind, unique):
            return None
        there.claim_name(scope, kind, unique, id_)
    outputs = {**described.fill, **inputs, **expand(described.make, {**words, "id": id_})}
    row = Row(kind, id_, URN.format(kind=kind, region=region), inputs, outputs)
    there.put(row, region, {id_, *(str(outputs[h]) for h in ("arn", "name") if outputs.get(h))})
    return id_
