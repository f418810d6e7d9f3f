"""The organization under mocks: complete, protected, taken over where it exists."""

import json
from dataclasses import replace
from functools import cache

from components.organization.organization import Organization
from devtools.mocks import Recording, Registered, run
from organization import open_organization
from organization.models import Registry
from plan.organization import OrganizationPlan, plan_organization
from plan.organization.policies import AWS_OWN, MAX_ATTACHED
from tests.cells import PROJECT, organization_of


def record(plan: OrganizationPlan) -> Recording:
    return run(lambda: Organization("platform", plan), stack_name="org")


@cache
def made() -> Recording:
    return record(organization_of())


def door(resource: Registered) -> str:
    """Logical name of the provider that it goes through."""
    return resource.provider.split("::")[-2]


def test_all_features_and_every_kind_of_policy_are_on() -> None:
    found = made().one("organizations/organization:Organization", "tree-organization").inputs
    assert found["featureSet"] == "ALL"
    assert set(found["enabledPolicyTypes"]) == {p.kind for p in organization_of().policies}
    needed = {"cloudtrail", "config", "guardduty", "securityhub", "access-analyzer", "inspector2", "iam"}
    assert needed <= {s.split(".")[0] for s in found["awsServiceAccessPrincipals"]}


def test_units_stand_where_their_paths_say() -> None:
    units = {r.name: r.inputs for r in made().of("organizationalUnit:OrganizationalUnit")}
    assert len(units) == 7
    above = {name: u["parentId"] for name, u in units.items()}
    assert above["tree-unit-workloads-prod"] == "tree-unit-workloads-id"
    assert above["tree-unit-workloads"] == above["tree-unit-suspended"]


def test_no_account_is_closed_by_an_edit() -> None:
    found = made().of("organizations/account:Account")
    assert len(found) == 6
    for account in found:
        assert account.protect
        assert account.inputs["closeOnDeletion"] is False
        assert account.inputs["roleName"] == "tenantry-administrator"
        assert {"roleName", "iamUserAccessToBilling"} <= set(account.ignore_changes)


def test_the_organization_and_its_units_are_protected() -> None:
    kinds = ("organizations/organization:Organization", "organizationalUnit:OrganizationalUnit")
    assert [r.name for kind in kinds for r in made().of(kind) if not r.protect] == []


def test_every_policy_is_attached_and_no_target_has_too_many() -> None:
    attached = {
        a.inputs["policyId"]: a.inputs["targetId"] for a in made().of("policyAttachment:PolicyAttachment")
    }
    policies = {f"{p.name}-id": p for p in made().of("organizations/policy:Policy")}
    assert set(attached) == set(policies)
    scps = [t for p, t in attached.items() if policies[p].inputs["type"] == "SERVICE_CONTROL_POLICY"]
    assert max(scps.count(t) for t in scps) + AWS_OWN <= MAX_ATTACHED
    assert attached["policies-suspended-id"] == "tree-unit-suspended-id"


def test_the_trail_of_all_accounts_lies_locked_in_the_archive() -> None:
    trail = made().one("cloudtrail/trail:Trail", "baseline-trail-trail")
    assert trail.inputs["isOrganizationTrail"]
    assert trail.inputs["isMultiRegionTrail"]
    assert trail.inputs["enableLogFileValidation"]
    assert door(trail) == "aws"
    bucket = made().one("s3/bucket:Bucket", "archive-trail-bucket")
    assert trail.inputs["s3BucketName"] == bucket.inputs["bucket"]
    assert bucket.protect
    lock = made().one("BucketObjectLockConfiguration", "archive-trail-lock").inputs["rule"]
    assert lock["defaultRetention"] == {"mode": "COMPLIANCE", "days": 400}
    encryption = made().one("BucketServerSideEncryptionConfiguration", "archive-trail-encryption").inputs
    assert encryption["rules"][0]["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
    below = [r for r in made().resources if r.name.startswith("archive-") and r.type.startswith("aws:")]
    assert len(below) > 10
    assert {door(r) for r in below} == {"log-archive"}


def test_only_the_trail_writes_to_its_bucket() -> None:
    policy = made().one("s3/bucketPolicy:BucketPolicy", "archive-trail-policy").inputs["policy"]
    allowed = [s for s in json.loads(policy)["Statement"] if s["Effect"] == "Allow"]
    (write,) = (s for s in allowed if "s3:PutObject" in s["Action"])
    assert write["Condition"]["StringEquals"]["aws:SourceArn"] == organization_of().trail_arn
    assert len(write["Resource"]) == 2  # the management account's folder and the organization's


def test_members_are_entered_by_their_role_and_no_other_account_is() -> None:
    doors = {r.name: r.inputs for r in made().of("pulumi:providers:aws")}
    assert set(doors) == {
        *("aws", "log-archive", "audit-eu-central-1", "audit-eu-west-1"),
        *("delegation-eu-central-1", "delegation-eu-west-1"),
    }
    for name in ("log-archive", "audit-eu-west-1"):
        (role,) = json.loads(doors[name]["assumeRoles"])
        account = f"tree-account-{name.removesuffix('-eu-west-1')}-id"
        assert role["roleArn"] == f"arn:aws:iam::{account}:role/tenantry-administrator"
        assert json.loads(doors[name]["allowedAccountIds"]) == [account]


def test_the_audit_account_looks_after_what_watches() -> None:
    delegated = made().of("DelegatedAdministrator") + made().of("OrganizationAdminAccount")
    delegated += made().of("DelegatedAdminAccount")
    accounts = {r.inputs.get("accountId") or r.inputs.get("adminAccountId") for r in delegated}
    assert accounts == {"tree-account-audit-id"}
    assert len(delegated) == 3 + 3 * 2  # GuardDuty, Security Hub and Inspector in two Regions
    analyzers = [r for r in made().of("analyzer:Analyzer") if r.name.startswith("watch-")]
    assert {r.inputs["type"] for r in analyzers} == {"ORGANIZATION", "ORGANIZATION_UNUSED_ACCESS"}
    assert {door(r) for r in analyzers} == {"audit-eu-central-1", "audit-eu-west-1"}


def test_every_role_carries_the_boundary_but_the_one_for_emergencies() -> None:
    roles = {r.inputs["name"]: r.inputs["permissionsBoundary"] for r in made().of("iam/role:Role")}
    assert roles.pop("tenantry-org-break-glass") == "arn:aws:iam::aws:policy/PowerUserAccess"
    assert {b.rsplit(":", 1)[1] for b in roles.values()} == {"baseline-boundary"}


def test_emergencies_raise_an_alarm() -> None:
    alarm = made().one("metricAlarm:MetricAlarm", "baseline-trail-break-glass")
    assert alarm.inputs["alarmActions"]
    pattern = made().one("logMetricFilter:LogMetricFilter", "baseline-trail-break-glass").inputs["pattern"]
    assert "arn:aws:iam::999900001111:role/tenantry-org-break-glass" in pattern


# ---- one that exists already


def existing() -> OrganizationPlan:
    registry = open_organization("org", root=PROJECT)
    settings = replace(organization_of().settings, organization_import="o-a1b2c3d4e5")
    units = tuple(replace(u, existing="ou-ab12-1a2b3c4d") if u.id == "sandbox" else u for u in registry.units)
    accounts = tuple(replace(a, existing="444455556666") if a.id == "prod" else a for a in registry.accounts)
    return plan_organization(settings, Registry(stack="org", units=units, accounts=accounts))


def test_what_exists_is_taken_over_by_its_id() -> None:
    taken = {r.name: r.import_id for r in record(existing()).resources if r.import_id}
    assert taken == {
        "tree-organization": "o-a1b2c3d4e5",
        "tree-unit-sandbox": "ou-ab12-1a2b3c4d",
        "tree-account-prod": "444455556666",
    }
    assert [r.name for r in made().resources if r.import_id] == []
