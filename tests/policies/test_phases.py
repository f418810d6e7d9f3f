"""Tenants in every phase of a life at once: prod still breaks no rule, and nobody gets more than it has."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from devtools.mocks import Recording
from policies.escalation import analyse
from policies.exceptions import read_exceptions
from policies.judge import judge
from policies.model import Outcome
from tenants.phases import MoveMethod, Phase
from tenants.states import Leaving, Move, PlacementKind
from tests.cells import EXCEPTIONS, registry_of
from tests.policies.plans import plan_of
from tests.policies.platform import planned
from tests.program.cell import deploy, edited

OUT, HOME = PlacementKind.SILO, PlacementKind.POOL
GONE = Leaving(handed_over=True)


def kinds() -> Mapping[PlacementKind, list[str]]:
    tenants = registry_of("prod").tenants
    return {kind: [t.id for t in tenants if t.placement_kind is kind] for kind in PlacementKind}


def phases() -> Mapping[str, Mapping[str, Any]]:
    """Tenant → what its entry has otherwise than in the committed registry."""
    pooled, siloed, dedicated = (iter(ids) for ids in kinds().values())
    moving = {
        next(pooled): {"move": Move(origin=HOME, to=OUT, stage=stage)}
        for stage in (Phase.PREPARE, Phase.REPLICATE, Phase.CUTOVER, Phase.SOAK, Phase.ROLLBACK, Phase.ABORT)
    }
    arrived = {"isolation": HOME.isolation, "move": Move(origin=OUT, to=HOME, stage=Phase.DONE)}
    states = (Phase.EXPORTED, Phase.RETAINED, Phase.CLOSING, Phase.ERASING)
    leaving = {
        next(ids): {"state": state, "leaving": GONE}
        for ids, all_of_them in ((pooled, (Phase.SUSPENDED, *states)), (siloed, states))
        for state in all_of_them
    }
    at = "2026-11-20T10:00:00Z"
    restoring = {
        next(ids): {"move": Move(origin=kind, to=OUT if kind is HOME else kind, stage=Phase.REPLICATE, at=at)}
        for kind, ids in ((HOME, pooled), (OUT, siloed), (PlacementKind.DEDICATED, dedicated))
    }
    copied = {
        next(pooled): {"move": Move(origin=HOME, to=OUT, stage=Phase.REPLICATE, by=MoveMethod.OFFLINE_COPY)}
    }
    away = {next(dedicated): {"move": Move(origin=PlacementKind.DEDICATED, to=HOME, stage=Phase.SOAK)}}
    return {**moving, next(siloed): arrived, **leaving, **restoring, **copied, **away}


@cache
def busy() -> Recording:
    changes = phases()
    tenants = [replace(t, **changes.get(t.id, {})) for t in registry_of("prod").tenants]
    return deploy(edited("prod", tenants))


def test_no_phase_breaks_a_rule() -> None:
    allowed, found = read_exceptions(EXCEPTIONS), judge(plan_of(busy(), "prod")).findings
    assert len(phases()) == 21
    assert [str(f) for f in found if f.stops and not allowed.covers(f)] == []
    assert [str(f) for f in found if f.verdict.outcome is Outcome.UNKNOWN] == []


def test_in_no_phase_a_role_gets_more_than_it_has() -> None:
    report = analyse(planned(busy(), "prod"))
    assert report.paths == ()
    assert report.unclear == ()
