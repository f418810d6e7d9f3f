"""Why a run has failed, where the engine's own words do not say it: what AWS knows, and no provider."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from recovery.engine import Stack
from sandbox.aws.deployments import SUCCESSFUL
from sandbox.aws.refusals.compute import SERVICE
from sandbox.aws.refusals.young_accounts import ready_at
from sandbox.cloud.store import FILE, Store

SERVICES: Final = "EC2 and Systems Manager"  # of `young_accounts.ANSWERS`


def failed_deployments(stack: str, env: Mapping[str, str]) -> list[str]:
    """A sentence for each service whose last deployment failed; the engine has only said that it did."""
    cloud = Path(env["SANDBOX_DIR"]) / FILE
    if not cloud.exists():
        return []
    with closing(Store(cloud, "", "")) as store:
        mine = [r for r in store.in_all_accounts(SERVICE) if r.urn.startswith(f"urn:pulumi:{stack}::")]
        last = {str(row.outputs["name"]): next(iter(store.deployments(row.id)), None) for row in mine}
    return [
        f"{name}: tasks of {deployment.revision.rpartition('/')[2]} have stopped: {deployment.reason}"
        for name, deployment in sorted(last.items())
        if deployment and deployment.status != SUCCESSFUL
    ]


def young_account(stack: str, env: Mapping[str, str]) -> str | None:
    """What to wait for where AWS has only just made the stack's account."""
    mine = Stack(stack, Path(env["TENANTRY_PROJECT_DIR"]), env)
    cloud, account = Path(env["SANDBOX_DIR"]) / FILE, mine.setting("accountId")
    if not cloud.exists() or not account:
        return None
    with closing(Store(cloud, account, mine.setting("region") or "")) as store:
        ready = ready_at(store)
    if ready is None:
        return None
    return (
        f"stack {stack}: AWS has just made the account {account} and is still switching {SERVICES} on in it"
        f" (OptInRequired): wait until {ready:%H:%M} UTC and run this again, it goes on from here; in the"
        " sandbox a quarter of an hour goes by with: tenantry sandbox clock +0.01"
    )
