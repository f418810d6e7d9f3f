"""Certifies the destruction: what is gone, how that was checked, and what remains until when."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from functions.tenant_leaving import keys
from functions.tenant_leaving.certificate import FORMAT, KIND, sealed, verify
from functions.tenant_leaving.documents import load, save
from functions.tenant_leaving.report import key_of
from functions.tenant_leaving.request import Request, RequestFields
from functions.tenant_leaving.rights import EVIDENCE, SEES_INSTANCES
from functions.tenant_leaving.stage import Right, Stage
from functions.tenant_leaving.stores import PROOFS, StoreKind
from functions.tenant_leaving.tools import OffboardingError, Tools

Certificate = Mapping[str, Any]


def certificate_key(tenant: str) -> str:
    return f"tenants/{tenant}/certificate.json"


def certify(request: Request, tools: Tools) -> Mapping[str, Any]:
    """Raises `OffboardingError` naming all that is still there. A certificate once issued stays as it is."""
    tools.step("certificate read")
    key = certificate_key(request.tenant)
    found = load(tools.objects, request.evidence, key)
    if found is None:
        report = _report(request, tools)
        tools.step("looked for what is left")
        if left := _left(report, tools):
            raise OffboardingError(f"tenant {request.tenant} is not gone, there is still: {', '.join(left)}")
        found = _made(report, tools)
        tools.step("certificate written")
        save(tools.objects, request.evidence, key, found)
    elif not verify(found) or found["tenant"] != request.tenant:
        raise OffboardingError(
            f"{key} in {request.evidence} was changed after it was written: find out who did, and put the"
            " version before it back"
        )
    return _result(request, found)


def _report(request: Request, tools: Tools) -> Mapping[str, Any]:
    found = load(tools.objects, request.evidence, key_of(request.tenant))
    if found is None or not found["complete"] or found["tenant"] != request.tenant:
        raise OffboardingError(
            f"tenant {request.tenant} was not erased to the end: take registry and ledger back to erasing, as"
            " they were before this step, and run that again"
        )
    return found


def _left(report: Mapping[str, Any], tools: Tools) -> list[str]:
    keys_first = sorted(_stores(report), key=lambda store: store[0] is not StoreKind.KEY)
    return [left for kind, name in keys_first for left in PROOFS[kind].left(name, tools)]


def _stores(report: Mapping[str, Any]) -> Sequence[tuple[StoreKind, str]]:
    """Kind and name of all that has to be gone, the keys last."""
    named = [(StoreKind(store["kind"]), store["name"]) for store in report["stores"]]
    return [*named, *((StoreKind.KEY, key["arn"]) for key in _keys(report))]


def _keys(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The one in use and those before it, which a report from before they were looked for does not name."""
    return [document["key"], *document.get("earlierKeys", ())]


def _made(report: Mapping[str, Any], tools: Tools) -> Certificate:
    in_use, *earlier = [{**key, "state": _state(key["arn"], tools)} for key in _keys(report)]
    seen = [{"what": f"{kind} {name}", "how": PROOFS[kind].looked} for kind, name in _stores(report)]
    return sealed(
        {
            "format": FORMAT,
            "kind": KIND,
            "tenant": report["tenant"],
            "issued": keys.text(tools.now()),
            "key": in_use,
            "earlierKeys": earlier,
            "stores": report["stores"],
            "backups": [b for b in report["backups"] if b.get("deleted")],
            "remaining": [b for b in report["backups"] if not b.get("deleted")],
            "steps": report["steps"],
            "verified": seen,
        }
    )


def _state(arn: str, tools: Tools) -> str:
    key = tools.keys.describe(arn)
    return key.state if key else "Deleted"


def _result(request: Request, certificate: Certificate) -> Mapping[str, Any]:
    return {
        "bucket": request.evidence,
        "certificate": certificate_key(request.tenant),
        "sha256": certificate["sha256"],
        "issued": certificate["issued"],
        "key": certificate["key"],
        "earlierKeys": certificate.get("earlierKeys", []),
        "stores": len(certificate["stores"]),
        "backups": len(certificate["backups"]),
        "remaining": [
            {k: b.get(k) for k in ("kind", "name", "until", "readable")} for b in certificate["remaining"]
        ],
    }


CERTIFY: Final = Stage(
    request="certify",
    run=certify,
    fields=RequestFields(needs=("evidence",)),
    rights=(
        Right(("kms:DescribeKey",), "the tenant's keys"),
        Right(("s3:ListBucket",), "the tenant's two buckets"),
        *SEES_INSTANCES,
        Right(("secretsmanager:DescribeSecret",), "arn:aws:secretsmanager:REGION:ACCOUNT:secret:*"),
        *EVIDENCE,
    ),
)
