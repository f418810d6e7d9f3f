"""Any registry, any accepted edit: through the whole program, the others' registrations stay as they are."""

from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.mocks import Recording
from plan import plan_cell
from tenants.models import Registry
from tests.cells import settings_of
from tests.program.cell import belonging, deploy, owners
from tests.program.test_moving import start
from tests.strategies import (
    Edit,
    committed_cell,
    edited_registries,
    edits,
    registries,
)

STACK = "dev"
CELL = committed_cell(STACK)
OWN = ("kms/key:Key", "s3/bucket:Bucket", "iam/role:Role", "secretsmanager/secret:Secret", "sns/topic:Topic")
FIXED = start().run()  # one tenant of each kind


@cache
def deployed_fixed() -> Recording:
    return deploy(plan_cell(settings_of(STACK), FIXED.registry))


@pytest.mark.slow
@settings(max_examples=5)
@given(edits(FIXED))
def test_any_edit_of_a_tenant_changes_no_registration_of_its_neighbours(edit: Edit) -> None:
    """Beside neighbours that are always the same; below, any registry and any edit of it."""
    after = edit.apply(FIXED).run().registry
    now = deploy(plan_cell(settings_of(STACK), after))
    staying = {t.id for t in FIXED.entries} - {edit.tenant}
    assert_unchanged(deployed_fixed(), now, staying)


@pytest.mark.slow
@settings(max_examples=6)
@given(edited_registries(CELL, max_size=4))
def test_an_edit_of_one_tenant_changes_no_registration_of_another(
    case: tuple[Registry, Registry, str],
) -> None:
    before, after, touched = case
    was, now = (deploy(plan_cell(settings_of(STACK), r)) for r in (before, after))
    assert_unchanged(was, now, {t.id for t in before.tenants} & {t.id for t in after.tenants} - {touched})


def assert_unchanged(before: Recording, after: Recording, tenants: set[str]) -> None:
    """Who waits for whom aside: a database waits for the paths to it, of which another's move adds some."""
    for tenant in tenants:
        old, new = (
            {key: replace(r, dependencies=()) for key, r in belonging(run, tenant).items()}
            for run in (before, after)
        )
        assert old
        assert old == new, tenant


@pytest.mark.slow
@settings(max_examples=4)
@given(registries(CELL, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_no_two_tenants_share_anything_and_order_means_nothing(registry: Registry, random: Random) -> None:
    recording = deploy(plan_cell(settings_of(STACK), registry))
    whose = owners(recording)
    for kind in OWN:
        by_name = Counter(
            str(r.inputs.get("name") or r.inputs.get("bucket") or r.name) for r in recording.of(kind)
        )
        assert [n for n, times in by_name.items() if times > 1] == [], kind
    for r in recording.resources:
        mine = whose[r.urn]
        others = {t.id for t in registry.tenants} - {mine}
        if mine is not None:
            assert not [o for o in others if f"/{o}/" in repr(r.inputs) or f"tenant-{o}'" in repr(r.inputs)]
    shuffled = list(registry.tenants)
    random.shuffle(shuffled)
    again = deploy(plan_cell(settings_of(STACK), replace(registry, tenants=tuple(shuffled))))
    assert {r.key: r for r in again.resources} == {r.key: r for r in recording.resources}
