"""Parameter Store: the catalog of tenants, and what functions record (SSM API reference, 2026-11)."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.parameters import PARAMETER, delete_parameter, parameters_below, put_parameter, value_of
from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, tags_of
from sandbox.data_plane.endpoint.errors import AwsError

PAGE: Final = 10
STANDARD: Final = 4096  # characters of a parameter of the standard tier
ALREADY: Final = (
    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
)


class Parameters:
    def GetParameter(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        rows = call.store.find(PARAMETER, p["Name"])
        arn = str(rows[0].outputs["arn"]) if rows else _arn(call, p["Name"])
        call.require(Asked("ssm:GetParameter", arn, tags=tags_of(rows[0]) if rows else {}))
        if not rows:
            raise AwsError("ParameterNotFound", "")
        return {"Parameter": _shown(rows[0])}

    def GetParametersByPath(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        path = str(p["Path"]).rstrip("/") or "/"
        known = {"ssm:Recursive": str(bool(p.get("Recursive"))).lower()}
        call.require(Asked("ssm:GetParametersByPath", _arn(call, path), context=known))
        below = parameters_below(call.store, path, recursive=bool(p.get("Recursive")))
        begin, size = int(p.get("NextToken") or 0), int(p.get("MaxResults") or PAGE)
        page = below[begin : begin + size]
        more = {"NextToken": str(begin + size)} if begin + size < len(below) else {}
        return {"Parameters": [_shown(r) for r in page], **more}

    def PutParameter(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        rows = call.store.find(PARAMETER, p["Name"])
        about = tags_of(rows[0]) if rows else {}
        overwrite = {"ssm:Overwrite": str(bool(p.get("Overwrite"))).lower()}
        call.require(Asked("ssm:PutParameter", _arn(call, p["Name"]), context=overwrite, tags=about))
        if rows and not p.get("Overwrite"):
            raise AwsError("ParameterAlreadyExists", ALREADY)
        if len(str(p["Value"])) > STANDARD:
            raise AwsError("ValidationException", f"Standard tier parameters support {STANDARD} characters.")
        return {"Version": put_parameter(call.store, p["Name"], str(p["Value"])), "Tier": "Standard"}

    def DeleteParameter(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        rows = call.store.find(PARAMETER, p["Name"])
        about = tags_of(rows[0]) if rows else {}
        call.require(Asked("ssm:DeleteParameter", _arn(call, p["Name"]), tags=about))
        if not delete_parameter(call.store, p["Name"]):
            raise AwsError("ParameterNotFound", "")
        return {}


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:ssm:{call.store.region}:{call.session.account}:parameter/{name.lstrip('/')}"


def _shown(row: Row) -> dict[str, Any]:
    return {
        "Name": row.outputs["name"],
        "Type": row.outputs["type"],
        "Value": value_of(row),
        "Version": int(row.outputs.get("version") or 1),
        "ARN": row.outputs["arn"],
        "DataType": row.outputs.get("dataType") or "text",
    }
