"""What goes into the vault, for how long, and who may shorten it."""

from dataclasses import replace

import pytest

from plan.data.backups import Lock, VaultPlan, plan_vault, settings_of_copies
from plan.names import LIMITS, Names
from tests.cells import settings_of

PROD, DEV = settings_of("prod"), settings_of("dev")


def vault(**changes: object) -> VaultPlan:
    settings = replace(PROD, **changes)
    found = plan_vault(settings, Names(settings.stack, settings.account_id))
    assert found is not None
    return found


def test_no_days_no_vault() -> None:
    assert plan_vault(replace(DEV, vault_days=0, vault_months=0), Names("dev", DEV.account_id)) is None


def test_a_lock_promises_what_the_rules_keep() -> None:
    found = vault(vault_days=90, vault_months=13)
    assert (found.least_days, found.most_days) == (90, 403)
    assert [r.keep_days for r in vault(vault_months=0).rules] == [90]
    assert {r.name for r in found.rules} == {"daily", "monthly"}


@pytest.mark.parametrize(("lock", "grace"), [("governance", None), ("compliance", 14), ("none", None)])
def test_only_a_compliance_lock_becomes_final(lock: str, grace: int | None) -> None:
    found = vault(vault_lock=lock)
    assert found.lock is Lock(lock)
    assert found.grace_days == grace


def test_a_long_stack_name_fits_a_vaults() -> None:
    names = Names("a-stack-with-a-very-long-name-that-nobody-would-take", PROD.account_id)
    found = plan_vault(PROD, names)
    assert found is not None
    assert len(found.name) <= LIMITS["vault"]


def test_copies_have_the_settings_of_the_other_region() -> None:
    assert settings_of_copies(PROD) is None
    there = settings_of_copies(replace(PROD, backup_copy_region="eu-central-1"))
    assert there == replace(PROD, backup_copy_region="eu-central-1", region="eu-central-1")
