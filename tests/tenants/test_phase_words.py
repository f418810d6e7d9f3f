"""The words of the functions, which ship alone, are those of the table of a tenant's life."""

from collections.abc import Iterable

import pytest

from components.tenants.tenant_offboarding import EVENTS as OFFBOARDING_EVENTS
from functions.tenant_data import replicated_move
from functions.tenant_data.request import MoveMethod as FunctionMoveMethod
from functions.tenant_data.request import MoveStage
from functions.tenant_leaving.certify import certificate_key
from functions.tenant_leaving.closing_notes import closing
from functions.tenant_leaving.export import MANIFEST
from functions.tenant_leaving.report import key_of
from functions.tenant_leaving.stages import STAGES as OFFBOARDING_STAGES
from tenants.phases import LEAVING, MOVE_STAGES, MOVING, PHASES, STATES, MoveMethod, Phase, Process


def requests(process: Process) -> list[str]:
    return sorted(str(row.request) for row in PHASES.values() if row.process is process)


@pytest.mark.parametrize(
    ("process", "words"),
    [
        (Process.MOVE, MoveStage),
        (Process.MOVE, replicated_move.STAGES),
        (Process.OFFBOARDING, OFFBOARDING_STAGES),
        (Process.SERVICE, ()),
    ],
    ids=["enum of moves", "moves", "offboarding", "service"],
)
def test_a_function_knows_each_request_of_its_process_and_no_other(
    process: Process, words: Iterable[str]
) -> None:
    known = [str(word) for word in words]
    assert sorted(known) == [r for r in requests(process) if r != "None"]


def test_the_methods_of_a_move_have_the_same_words() -> None:
    assert [str(m) for m in MoveMethod] == [str(b) for b in FunctionMoveMethod]


def test_each_phase_of_offboarding_has_an_event_and_nothing_else_has() -> None:
    assert set(OFFBOARDING_EVENTS) == LEAVING


def test_a_move_is_told_of_by_the_stage_that_the_registry_says() -> None:
    assert {p: p.row.request for p in MOVING} == {p: str(p) for p in MOVING}


def test_the_registry_has_a_field_for_each_phase_and_no_request_means_two() -> None:
    assert {*STATES, *MOVE_STAGES} == set(Phase)
    assert not set(STATES) & set(MOVE_STAGES)
    result = [row.request for row in PHASES.values() if row.request]
    assert len(result) == len(set(result))


def test_what_shows_a_phase_of_offboarding_is_a_document_that_the_function_writes() -> None:
    written = {
        Phase.EXPORTED: MANIFEST,
        Phase.CLOSING: closing("ID"),
        Phase.ERASING: key_of("ID"),
        Phase.ERASED: certificate_key("ID"),
    }
    assert [p for p, name in written.items() if f"`{name}`" not in p.row.proof] == []
    others = LEAVING - set(written)
    assert Phase.RETAINED in others
    assert [p for p in others if "the output `leaving`" not in p.row.proof] == []
