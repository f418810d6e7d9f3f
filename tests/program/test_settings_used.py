"""Each declared setting is used: another value of it makes another plan, or other resources."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import find
from hypothesis import settings as search
from hypothesis import strategies as st

from components.kinds import KINDS
from config.fields import Choice, Flag, NumberChoice, Text, Whole
from config.settings_fields import SettingsError, keys_of
from devtools.registrations import record_registrations
from devtools.stack_plans import declared
from organization import open_organization
from plan import parse_settings, plan_cell
from plan.organization import OrganizationSettings, parse_organization_settings, plan_organization
from plan.settings import Settings
from tenants.allocation import CellFullError, extend
from tenants.cell import read_cell
from tenants.examination import examine
from tenants.models import Ledger, QuotaProfile
from tenants.project import Project
from tenants.quotas import problems
from tests.cells import PROJECT, registry_of, values_of, with_tenants
from tests.program.cell import TODAY, deploy

Values = Mapping[str, Any]
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/another@sha256:" + "0" * 64
CLASS = "db.r6g.large"
DEPLOYED_BY = {
    "deployIssuer": "https://token.actions.githubusercontent.com",
    "deployRepository": "owner/name",
    "deployEnvironment": "production",
    "deployState": "state-bucket",
    "deployStateKey": "arn:aws:kms:eu-west-1:111122223333:key/0a",
}
TWO_ROOTS = {"caRoots": ["a", "b"]}
OWN_ISSUER = {"jwtIssuer": "https://login.example"}
# Setting of a cell → another value of it, and what else must be set for it to mean anything. Those of which
# `another` finds a value need no line.
IN_PLAN: Mapping[str, tuple[Any, Values]] = {
    "accountId": ("111122223334", {}),
    "zones": (["eu-west-1a", "eu-west-1c"], {}),
    "networkCidr": ("10.17.0.0/16", {}),
    "tenantNetworks": ("10.65.0.0/16", {}),
    "domain": ("another.example", {}),
    "caRoots": (["a", "b"], {}),
    "caSigner": ("b", TWO_ROOTS),
    "caRevoked": (["ab"], {}),
    "jwtIssuer": ("https://login.example", {}),
    "deployIssuer": ("https://gitlab.example", DEPLOYED_BY),
    "deployRepository": ("owner/another", DEPLOYED_BY),
    "deployEnvironment": ("another", DEPLOYED_BY),
    "deployState": ("another-bucket", DEPLOYED_BY),
    "deployStateKey": ("arn:aws:kms:eu-west-1:111122223333:key/0b", DEPLOYED_BY),
    "collectorImage": (IMAGE, {}),
    "monolithImage": (IMAGE, {}),
    "monolithInstanceClass": (CLASS, {}),
    "reportsImage": (IMAGE, {}),
    "reportsInstanceClass": (CLASS, {}),
    "shardInstanceClass": (CLASS, {}),
    "siloInstanceClass": (CLASS, {}),
}
# Those that components read.
IN_RESOURCES: Mapping[str, tuple[Any, Values]] = {
    "environment": ("staging", {}),
    "accountScope": ("none", {}),
    "region": ("eu-central-1", {"zones": ["eu-central-1a", "eu-central-1b"]}),
    "backupCopyRegion": ("eu-central-1", {}),
    "hostedZoneId": ("Z0ANOTHER0EXAMPLE", {}),
    "jwtAudience": ("another", OWN_ISSUER),
    "jwtTenantClaim": ("another", OWN_ISSUER),
    "alarmEmail": ("another@tenantry.example", {}),
    "budgetUsd": (1, {}),
    "auditLogDays": (731, {}),
    "detection": ("organization", {}),
}
OF_ORGANIZATION: Mapping[str, Any] = {
    "organizationRegions": ["eu-west-1"],
    "organizationBackupDays": 91,
    "organizationImport": "o-a1b2c3d4e5",
}
OF_THEIR_OWN = {"kind", "quotas", "shardLimit"}  # tests below


UNLISTED = sorted(keys_of(Settings).keys() - {*IN_PLAN, *IN_RESOURCES, *OF_THEIR_OWN})


def test_no_setting_is_left_out() -> None:
    listed = {*IN_PLAN, *IN_RESOURCES, *OF_THEIR_OWN}
    assert listed - keys_of(Settings).keys() == set()
    assert {*listed, *UNLISTED, *OF_ORGANIZATION} == declared(PROJECT).keys()


def another(key: str) -> Any:
    """Another value of a setting of the stack dev, by what its type allows."""
    now = values_of("dev")[key]

    def accepted(value: Any) -> bool:
        try:
            return value != now and bool(parse_settings("dev", {**values_of("dev"), key: value}))
        except SettingsError:
            return False

    match keys_of(Settings)[key].metadata["type"]:
        case Flag():
            candidates: Iterable[Any] = (True, False)
        case NumberChoice(values) | Choice(values):
            candidates = values
        case Whole(low, high):
            candidates = (min(now + 1, high), min(2 * now, high), low, high, *range(now, high))
        case Text(pattern):
            return find(st.from_regex(pattern, fullmatch=True), accepted, settings=search(derandomize=True))
        case other:
            pytest.fail(f"give {key} a line in IN_PLAN or IN_RESOURCES: there is no other {other} to try")
    return next(filter(accepted, candidates))


@pytest.mark.parametrize("key", UNLISTED)
def test_another_value_by_its_type_is_another_plan_or_other_resources(key: str) -> None:
    value = {key: another(key)}
    assert planned(value) != planned({}) or resources(value) != resources({})


def planned(values: Values) -> Any:
    """The plan of a cell, without the settings that it carries along."""
    cell = plan_cell(parse_settings("dev", {**values_of("dev"), **values}), registry_of("dev"))
    return replace(cell, settings=None, copies=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", IN_PLAN)
def test_another_value_is_another_plan(key: str) -> None:
    value, with_ = IN_PLAN[key]
    assert planned({**with_, key: value}) != planned(with_)


def resources(values: Values) -> list[Any]:
    """Type, name and inputs of all that a cell without tenants registers."""
    settings = parse_settings("dev", {**values_of("dev"), **values})
    found = deploy(plan_cell(settings, with_tenants(registry_of("dev"), ()))).resources
    return [(r.type, r.name, r.inputs) for r in found]


@pytest.mark.slow
@pytest.mark.parametrize("key", IN_RESOURCES)
def test_another_value_is_other_resources(key: str) -> None:
    value, with_ = IN_RESOURCES[key]
    if key == "region":  # its zones go with it, and must not be what makes the difference
        assert_names_region(resources({**with_, key: value}), value)
        return
    assert resources({**with_, key: value}) != resources(with_)


def assert_names_region(found: list[Any], region: str) -> None:
    (provider,) = [inputs for kind, name, inputs in found if (kind, name) == ("pulumi:providers:aws", "aws")]
    assert provider["region"] == region


@pytest.mark.parametrize("key", OF_ORGANIZATION)
def test_another_value_is_another_organization(key: str) -> None:
    def made(values: Values) -> list[Any]:
        settings = parse_organization_settings("org", {**values_of("org"), **values})
        assert isinstance(settings, OrganizationSettings)
        return list(
            record_registrations(
                plan_organization(settings, open_organization("org", root=PROJECT))
            ).resources
        )

    assert made({key: OF_ORGANIZATION[key]}) != made({})


def test_the_kind_decides_what_is_planned_and_made() -> None:
    assert KINDS.keys() == {"cell", "organization"}
    assert KINDS["cell"].plan is not KINDS["organization"].plan
    assert KINDS["cell"].make is not KINDS["organization"].make


def test_the_quotas_of_a_new_account_are_too_few() -> None:
    files = Project(PROJECT)
    found = examine(files, "dev", locked=False)
    assert found.cell is not None
    for profile, enough in ((QuotaProfile.RAISED, True), (QuotaProfile.FRESH, False)):
        cell = replace(found.cell, quotas=profile)
        lines = problems(files, cell, found.entries.models.values(), found.ledger, found.extended)
        assert (not lines) is enough, profile


def test_the_most_shards_decide_how_many_tenants_have_room() -> None:
    limits, findings = read_cell(PROJECT, "dev")
    assert limits is not None, findings
    registry = registry_of("dev")
    empty = Ledger()
    assert extend(empty, registry.tenants, replace(limits, shard_capacity=1, shard_limit=26), TODAY)
    with pytest.raises(CellFullError, match="there is no room in the pool: 1 shards of 1 are full"):
        extend(empty, registry.tenants, replace(limits, shard_capacity=1, shard_limit=1), TODAY)
