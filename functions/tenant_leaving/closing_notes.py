"""What a closing writes down in the evidence bucket, since nothing else will know it: the tenant's keys, when
they go, and its secrets.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from config.fields import FieldType
from functions.common.events import BUCKET, TENANT, read_event
from functions.tenant_leaving.documents import Document, load, save
from functions.tenant_leaving.request import Request
from functions.tenant_leaving.tools import Tools

WHERE: Final[Mapping[str, FieldType]] = {"tenant": TENANT, "evidence": BUCKET}


def closing(tenant: str) -> str:
    """Of the evidence bucket."""
    return f"tenants/{tenant}/closing.json"


def dates(request: Request, tools: Tools) -> Mapping[str, str]:
    """ARN of a key → when it goes, as KMS said while it was there."""
    return _dates(load(tools.objects, request.evidence, closing(request.tenant)) or {})


def write_down(request: Request, tools: Tools, found: Mapping[str, str | None]) -> None:
    """`found`: when KMS says that each key goes; one that is gone by now has its date from before."""
    name = closing(request.tenant)
    known = load(tools.objects, request.evidence, name) or {}
    ends = {**_dates(known), **{arn: date for arn, date in found.items() if date}}
    document = {
        "tenant": request.tenant,
        "key": request.key,
        "deletionDate": ends.get(request.key),
        "secrets": list(request.secrets),
        **({"earlierKeys": {arn: ends.get(arn) for arn in request.earlier}} if request.earlier else {}),
    }
    if {k: known.get(k) for k in document} != document:
        tools.step("keys and dates written down")
        save(
            tools.objects,
            request.evidence,
            name,
            {**document, "scheduled": tools.now().isoformat(timespec="seconds")},
        )


def fields(event: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    """Of a later stage's event, which cannot say them; none where nobody wrote any down for this tenant."""
    where, wrong = read_event({k: event[k] for k in WHERE if k in event}, WHERE)
    found: Document = {} if wrong else load(tools.objects, where["evidence"], closing(where["tenant"])) or {}
    if wrong or found.get("tenant") != where["tenant"]:
        return {}
    earlier: Sequence[str] = list(found.get("earlierKeys", ()))
    said = {"keyArn": found.get("key"), "secrets": found.get("secrets"), "earlierKeys": earlier or None}
    return {k: value for k, value in said.items() if value is not None}


def _dates(written: Document) -> Mapping[str, str]:
    in_use = {written["key"]: written["deletionDate"]} if "key" in written else {}
    return {arn: date for arn, date in {**written.get("earlierKeys", {}), **in_use}.items() if date}
