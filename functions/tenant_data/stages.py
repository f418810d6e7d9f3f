"""Which function takes which stage of a move: by replication, by an offline copy, or of a restore."""

from collections.abc import Mapping
from typing import Any, Final

from functions.common.database_endpoint import MoveError
from functions.tenant_data import offline_copy, replicated_move, restore, restore_pooled
from functions.tenant_data.move import Move
from functions.tenant_data.request import MoveMethod, MoveStage

LEFT: Final = frozenset({MoveStage.DONE, MoveStage.ABORT})  # of which a killed run may have dropped a role


def perform(move: Move) -> Mapping[str, Any]:
    """The stage that is asked for; raises `MoveError` where it cannot be reached."""
    for endpoint in (move.origin, move.target):
        if not endpoint.has_role(move.request.role) and move.request.stage not in LEFT:
            raise MoveError(f"role {move.request.role} is not at the {endpoint.name}: its place was not made")
    stages = dict(replicated_move.STAGES)
    if move.request.restored_to:
        stages |= restore.STAGES
    if move.restored:
        stages |= restore_pooled.STAGES
    if move.request.method is MoveMethod.OFFLINE_COPY:
        stages |= offline_copy.STAGES
    stages[move.request.stage](move)
    return move.result()
