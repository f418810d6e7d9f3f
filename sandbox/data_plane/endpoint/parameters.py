"""Parameter Store: the catalog of tenants (SSM API reference, 2026-11)."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, tags_of
from sandbox.data_plane.endpoint.errors import AwsError

PARAMETER: Final = "aws:ssm/parameter:Parameter"
PAGE: Final = 10


class Parameters:
    def GetParameter(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        rows = call.store.find(PARAMETER, p["Name"])
        arn = str(rows[0].outputs["arn"]) if rows else _arn(call, p["Name"])
        call.require(Asked("ssm:GetParameter", arn, tags=tags_of(rows[0]) if rows else {}))
        if not rows:
            raise AwsError("ParameterNotFound", "")
        return {"Parameter": _shown(rows[0])}

    def GetParametersByPath(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        path = str(p["Path"]).rstrip("/")
        known = {"ssm:Recursive": str(bool(p.get("Recursive"))).lower()}
        call.require(Asked("ssm:GetParametersByPath", _arn(call, path), context=known))
        rest = [(r, str(r.outputs["name"]).removeprefix(f"{path}/")) for r in call.store.all(PARAMETER)]
        below = [
            r for r, tail in rest if tail != r.outputs["name"] and (p.get("Recursive") or "/" not in tail)
        ]
        begin, size = int(p.get("NextToken") or 0), int(p.get("MaxResults") or PAGE)
        page = below[begin : begin + size]
        more = {"NextToken": str(begin + size)} if begin + size < len(below) else {}
        return {"Parameters": [_shown(r) for r in page], **more}


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:ssm:{call.store.region}:{call.session.account}:parameter/{name.lstrip('/')}"


def _shown(row: Row) -> dict[str, Any]:
    value = row.inputs.get("insecureValue", row.inputs.get("value"))
    return {
        "Name": row.outputs["name"],
        "Type": row.outputs["type"],
        "Value": value,
        "Version": int(row.outputs.get("version") or 1),
        "ARN": row.outputs["arn"],
        "DataType": row.outputs.get("dataType") or "text",
    }
