"""Settings are read whole or refused whole, each wrong key by its name."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings_fields import SettingsError, keys_of
from config.stack_file import places_of
from plan.settings import FARGATE_MEMORY, LOG_RETENTION_DAYS, Settings, parse_settings
from tests.cells import values_of

ALL_KEYS = list(keys_of(Settings))


def refused(**changes: Any) -> str:
    """What the refusal of prod with these changes says; `...` takes a key away."""
    stack = "prod"
    values = {k: v for k, v in {**values_of(stack), **changes}.items() if v is not ...}
    with pytest.raises(SettingsError, match=rf"^Pulumi\.{stack}\.yaml:\n") as refusal:
        parse_settings(stack, values)
    return str(refusal.value)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_stacks_are_right(stack: str) -> None:
    assert parse_settings(stack, values_of(stack)).stack == stack


@pytest.mark.parametrize("key", ALL_KEYS)
def test_a_missing_key_is_named_with_its_meaning(key: str) -> None:
    assert f"tenantry:{key}: missing; " in refused(**{key: ...})


def test_an_unknown_key_is_named() -> None:
    assert "tenantry:shardCapacty: no such setting" in refused(shardCapacty=3)
    assert "tenantry:stack: no such setting" in refused(stack="other")


WRONG = {
    "accountId": ("12345", "expected an AWS account id, twelve digits in quotes"),
    "region": ("Ireland", "expected an AWS Region such as eu-west-1"),
    "environment": ("production", "allowed: dev, staging, prod"),
    "zones": (["eu-west-1a"], "expected two to four different Availability Zones"),
    "networkCidr": ("10.16.1.0/16", "expected a private /16 network"),
    "tenantNetworks": ("11.0.0.0/16", "expected a private /16 network"),
    "natPerZone": ("yes", "expected true or false"),
    "backupDays": (3, "expected a whole number from 7 to 35"),
    "auditLogDays": (90, "expected one of 365, 400"),
    "applicationLogDays": (100, "expected one of 1, 3, 5"),
    "taskCpu": (512, "expected one of 1024, 2048, 4096"),
    "monolithImage": ("nginx:latest", "expected none, or an image in ECR by digest"),
    "shardInstanceClass": ("r6g.large", "expected such as db.r6g.large"),
    "backupCopyRegion": ("Frankfurt", "expected none, or an AWS Region such as eu-central-1"),
    "vaultLock": ("legal", "allowed: none, governance, compliance"),
    "vaultDays": (4000, "expected a whole number from 0 to 3650"),
    "reportsReplicas": (16, "expected a whole number from 0 to 15"),
    "shardLimit": (27, "expected a whole number from 1 to 26"),
    "alarmEmail": ("ops", "expected an e-mail address"),
    "domain": ("tenantry", "expected a DNS name"),
    "hostedZoneId": ("zone", "expected a zone id"),
    "shardCapacity": (True, "expected a whole number"),
    "caRoots": (["a", "a"], "expected one to three different short names"),
    "caSigner": ("A!", "expected one of caRoots"),
    "caRevoked": (["XYZ"], "expected a serial number of a certificate in lower-case hexadecimal"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(key: str) -> None:
    value, allowed = WRONG[key]
    shown = tuple(value) if isinstance(value, list) else value
    text = refused(**{key: value})
    assert f"tenantry:{key}: {shown!r} is not allowed; {allowed}" in text


def test_all_that_is_wrong_is_said_at_once() -> None:
    lines = refused(region="x", backupDays=1, nonsense=1, domain=...).splitlines()[1:]
    assert {line.split(":")[1] for line in lines} == {"nonsense", "region", "backupDays", "domain"}


def test_a_wrong_value_is_named_with_its_line_and_column_where_the_file_is_at_hand(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "config:\n  tenantry:backupDays: 35\n  tenantry:region:\n    Ireland\n", encoding="utf-8"
    )
    values = {**values_of("prod"), "region": "Ireland", "alarmEmail": "ops"}
    with pytest.raises(SettingsError, match="tenantry:region") as refusal:
        parse_settings("prod", values, places=lambda: places_of(tmp_path, "prod"))
    assert str(refusal.value).splitlines()[1:] == [
        "  4:5: tenantry:region: 'Ireland' is not allowed; expected an AWS Region such as eu-west-1",
        "  tenantry:alarmEmail: 'ops' is not allowed; expected an e-mail address",
    ]


@pytest.mark.parametrize("content", [None, "", "config:", "- a", "config: [", "other: {}"])
def test_a_file_without_settings_has_no_places(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "Pulumi.prod.yaml").write_text(content, encoding="utf-8")
    assert places_of(tmp_path, "prod") == {}


def test_a_list_may_be_empty_where_that_means_something() -> None:
    assert parse_settings("prod", {**values_of("prod"), "caRevoked": []}).ca_revoked == ()
    assert "tenantry:zones: () is not allowed; expected two to four" in refused(zones=[])


def test_a_list_holds_strings() -> None:
    """A serial number of digits alone is a number to YAML, unless it is in quotes."""
    assert 'tenantry:caRevoked: (12,) is not allowed; put it in quotes: "12"' in refused(caRevoked=[12])


CONTRADICTIONS = {
    "a signer that nobody trusts": (
        {"caRoots": ["a", "b"], "caSigner": "c"},
        "caSigner: expected one of caRoots (a, b)",
    ),
    "memory that CPU does not go with": ({"taskCpu": 1024, "taskMemory": 16384}, "taskMemory: taskCpu 1024"),
    "fewest above most": ({"tasksMin": 9, "tasksMax": 8}, "tasksMin: must not be above tasksMax"),
    "networks that overlap": ({"tenantNetworks": "10.32.0.0/16"}, "tenantNetworks: must not overlap"),
    "zones of another Region": ({"region": "eu-central-1"}, "zones: expected zones of eu-central-1"),
    "prod in two zones": ({"zones": ["eu-west-1a", "eu-west-1b"]}, "zones: prod needs three"),
    "prod unprotected": ({"protectData": False}, "protectData: prod must protect its data"),
    "copies into the same Region": (
        {"backupCopyRegion": "eu-west-1"},
        "backupCopyRegion: expected another Region than the cell's",
    ),
    "prod without a lock": ({"vaultLock": "none"}, "vaultLock: prod needs a locked vault"),
    "a lock without a vault": (
        {"vaultDays": 0, "vaultMonths": 0},
        "vaultLock: without vaultDays there is no vault to lock",
    ),
    "months without a vault": (
        {"vaultDays": 0, "vaultLock": "none"},
        "vaultMonths: without vaultDays there is no vault",
    ),
    "prod without standby": ({"multiAz": False}, "multiAz: prod needs a standby"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_is_wrong_between_two_settings_is_said_too(name: str) -> None:
    changes, message = CONTRADICTIONS[name]
    assert message in refused(**changes)


def test_a_setting_that_was_removed_is_refused_with_what_to_do() -> None:
    assert "tenantry:debugLogDays: is no setting any more" in refused(debugLogDays=14)
    assert "delete the line" in refused(debugLogDays=14)


@given(st.integers(0, 5000))
def test_log_days_are_those_that_cloudwatch_accepts(days: int) -> None:
    values = {**values_of("dev"), "applicationLogDays": days}
    if days in LOG_RETENTION_DAYS:
        assert parse_settings("dev", values).application_log_days == days
    else:
        with pytest.raises(SettingsError, match="applicationLogDays"):
            parse_settings("dev", values)


@given(st.sampled_from(sorted(FARGATE_MEMORY)), st.integers(1024, 31744))
def test_memory_goes_with_cpu_as_fargate_has_it(cpu: int, memory: int) -> None:
    values = {**values_of("dev"), "taskCpu": cpu, "taskMemory": memory}
    if memory in FARGATE_MEMORY[cpu]:
        assert parse_settings("dev", values).task_memory == memory
    else:
        with pytest.raises(SettingsError, match="taskMemory"):
            parse_settings("dev", values)


@given(st.dictionaries(st.sampled_from(ALL_KEYS), st.none() | st.booleans() | st.integers() | st.text()))
def test_nothing_that_a_file_can_hold_ends_in_anything_but_a_refusal(changes: dict[str, Any]) -> None:
    values = {**values_of("dev"), **changes}
    result = ""
    try:
        parse_settings("dev", values)
    except SettingsError as refusal:
        result = str(refusal)
    assert all(f"tenantry:{key}: missing" in result for key, value in changes.items() if value is None)
