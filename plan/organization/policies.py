"""The organization's policies as JSON texts, with what each is attached to."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from organization.models import Account, Duty
from plan.data.backups import backup_role, vault_name
from plan.data.databases import BACKED_UP
from plan.names import PROJECT, Names
from plan.organization.guardrails import GUARDRAILS, ROOT, Refusal, Who
from plan.organization.settings import OrganizationSettings

# Organizations user guide, "Quotas", 2026-11.
MAX_SCP: Final = 5120  # characters
MAX_ATTACHED: Final = 5  # service control policies of one target, FullAWSAccess of AWS's among them
AWS_OWN: Final = 1

SCP: Final = "SERVICE_CONTROL_POLICY"
TAGS: Final = "TAG_POLICY"
BACKUP: Final = "BACKUP_POLICY"
KINDS: Final = (SCP, TAGS, BACKUP)

WEEKLY: Final = "cron(0 5 ? * SUN *)"  # UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlan:
    """`content` is the text that AWS gets; `target` is the root, the path of a unit or `of_account`."""

    name: str
    kind: str
    description: str
    content: str
    target: str

    @property
    def data(self) -> Any:
        return json.loads(self.content)


def of_account(id_: str) -> str:
    """A target that is one account; a unit may have the same id."""
    return f"account {id_}"


def plan_policies(settings: OrganizationSettings, accounts: Iterable[Account]) -> tuple[PolicyPlan, ...]:
    """All of them, sorted by name. Raises ValueError for one that AWS would refuse for its length."""
    accounts = tuple(accounts)
    roles = sorted({a.role for a in accounts})
    who = Who(
        regions=tuple(sorted(settings.organization_regions)),
        administrators=tuple(f"arn:aws:iam::*:role/{role}" for role in roles),
    )
    found = [_guardrail(name, who) for name in GUARDRAILS]
    found += [_policy("tags", TAGS, "Values that the platform's tags have", tag_policy())]
    found += [
        _policy(
            f"backups-{a.id}",
            BACKUP,
            f"Weekly snapshots of the databases in {a.name}",
            backup_policy(settings, a),
            of_account(a.id),
        )
        for a in accounts
        if a.duty is Duty.WORKLOAD
    ]
    for target in {p.target for p in found}:
        attached = [p.name for p in found if p.kind == SCP and p.target == target]
        if len(attached) + AWS_OWN > MAX_ATTACHED:
            raise ValueError(f"{target}: AWS attaches {MAX_ATTACHED}, its own among them; got {attached}")
    return tuple(sorted(found, key=lambda p: p.name))


def _guardrail(name: str, who: Who) -> PolicyPlan:
    make, target = GUARDRAILS[name]
    meaning = " ".join((make.__doc__ or "").split())
    found = _policy(name, SCP, meaning, scp(make(who)), target)
    if len(found.content) > MAX_SCP:
        raise ValueError(f"{name}: AWS takes {MAX_SCP} characters, got {len(found.content)}")
    return found


def scp(refusals: Iterable[Refusal]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [r.as_data() for r in refusals]}


def _policy(name: str, kind: str, description: str, data: dict[str, Any], target: str = ROOT) -> PolicyPlan:
    content = json.dumps(data, separators=(",", ":"))
    return PolicyPlan(name=name, kind=kind, description=description, content=content, target=target)


def tag_policy() -> dict[str, Any]:
    """How the tags are written by which costs, backups and tenants are told apart."""

    def tag(key: str, *values: str) -> dict[str, Any]:
        allowed = {"tag_value": {"@@assign": list(values)}} if values else {}
        return {"tag_key": {"@@assign": key}, **allowed}

    return {
        "tags": {
            "project": tag("project", PROJECT),
            "environment": tag("environment", "dev", "staging", "prod", "organization"),
            "cell": tag("cell"),
            "tenant": tag("tenant"),
        }
    }


def backup_policy(settings: OrganizationSettings, account: Account) -> dict[str, Any]:
    """Once a week, into the vault of the account's cell, whatever the cell's own plan is changed to.

    A cell's stack has the name of its account's id, as the vault and the role that the cell makes have. Of
    a cell that is not there yet nothing has the tag, so that nothing is asked of a vault. Numbers are texts
    in the policies of Organizations ("Backup policy syntax", 2026-11).
    """
    names = Names(account.id, "$account")  # which AWS replaces by the account's number
    ((key, value),) = BACKED_UP.items()
    rule = {
        "schedule_expression": {"@@assign": WEEKLY},
        "start_backup_window_minutes": {"@@assign": "60"},
        "complete_backup_window_minutes": {"@@assign": "480"},
        "lifecycle": {"delete_after_days": {"@@assign": str(settings.organization_backup_days)}},
        "target_backup_vault_name": {"@@assign": vault_name(names)},
    }
    selection = {
        "iam_role_arn": {"@@assign": f"arn:aws:iam::{names.account_id}:role/{backup_role(names)}"},
        "tag_key": {"@@assign": key},
        "tag_value": {"@@assign": [value]},
    }
    plan = {
        "regions": {"@@assign": sorted(settings.organization_regions)},
        "rules": {"weekly": rule},
        "selections": {"tags": {"databases": selection}},
    }
    return {"plans": {f"{PROJECT}-{account.id}": plan}}
