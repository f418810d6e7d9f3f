"""The certificate of destruction: what is gone, what was looked at to say so, and what remains until when."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from functions.tenant_leaving import keys
from functions.tenant_leaving.certificate import FORMAT, KIND, sealed, verify
from functions.tenant_leaving.documents import load, save
from functions.tenant_leaving.report import key_of
from functions.tenant_leaving.request import Request
from functions.tenant_leaving.tools import OffboardingError, Tools

Certificate = Mapping[str, Any]
LOOKED: Final = {
    "instance": "rds:DescribeDBInstances does not find it, and rds:DescribeDBSnapshots none of it by hand",
    "bucket": "s3:HeadBucket does not find it",
    "secret": "secretsmanager:DescribeSecret does not find it, or says that it is deleted",
    "key": "kms:DescribeKey does not find it, or says that its deletion date has passed",
    "schema": "not in pg_namespace, nor its role in pg_roles, after they were dropped",
}


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
    left = [
        f"key {key['arn']}"
        for key in _keys(report)
        if not keys.gone(tools.keys.describe(key["arn"]), tools.now())
    ]
    for store in report["stores"]:
        left += _store_left(store["kind"], store["name"], tools)
    return left


def _keys(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The one in use and those before it, which a report from before they were looked for does not name."""
    return [document["key"], *document.get("earlierKeys", ())]


def _store_left(kind: str, name: str, tools: Tools) -> list[str]:
    if kind == "bucket":
        return [f"bucket {name}"] if tools.objects.exists(name) else []
    if kind == "secret":
        return [f"secret {name}"] if tools.secrets.exists(name) else []
    if kind == "instance":
        there = [f"instance {name}"] if tools.databases.instance(name) else []
        return there + [f"snapshot {s.name}" for s in tools.databases.snapshots(name) if s.kind == "manual"]
    return []  # a schema: `erase` looked, in the session that dropped it


def _made(report: Mapping[str, Any], tools: Tools) -> Certificate:
    in_use, *earlier = [{**key, "state": _state(key["arn"], tools)} for key in _keys(report)]
    seen = [
        {"what": f"{store['kind']} {store['name']}", "how": LOOKED[store["kind"]]}
        for store in report["stores"]
    ]
    seen += [{"what": f"key {key['arn']}", "how": LOOKED["key"]} for key in _keys(report)]
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
