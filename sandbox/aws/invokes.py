"""Answers to the program's data source calls (invokes); described in `invokes.yaml`."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml

from sandbox.aws.deployments import describe_service
from sandbox.aws.parameters import parameters_below, value_of
from sandbox.aws.refusals import CloudError
from sandbox.aws.templates import expand
from sandbox.aws.type_descriptions import HERE, LOADER, Undescribed
from sandbox.cloud.store import Store

PARAMETERS: Final = "aws:ssm/getParametersByPath:getParametersByPath"
SERVICE: Final = "aws:ecs/getService:getService"


def _parameters(args: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """Those below a path, as the data source has them (provider 7.51)."""
    found = parameters_below(store, str(args["path"]), recursive=bool(args.get("recursive")))
    return {
        "arns": [row.outputs["arn"] for row in found],
        "id": args["path"],
        "names": [row.outputs["name"] for row in found],
        "region": store.region,
        "types": [row.outputs["type"] for row in found],
        "values": [value_of(row) for row in found],
    }


def _service(args: Mapping[str, Any], store: Store) -> dict[str, Any]:
    found = describe_service(args, store)
    if found is None:
        raise CloudError(f"reading ECS Service ({args['serviceName']}): couldn't find resource")
    return found


ANSWERS: Final = {PARAMETERS: _parameters, SERVICE: _service}


@cache
def _described() -> dict[str, Any]:
    # The loader is yaml's safe one.
    return yaml.load((HERE / "invokes.yaml").read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506


def answer(token: str, args: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """The invoke's result; raises `Undescribed` for one that is not described, `CloudError` for a refusal."""
    if token in ANSWERS:
        return {**args, **ANSWERS[token](args, store)}
    found = _described().get(token)
    if found is None:
        raise Undescribed(
            f"the sandbox does not know the invoke {token}: sandbox/aws/invokes.yaml would describe it"
        )
    return {**args, **expand(found, {"account": store.account, "region": store.region, **args})}
