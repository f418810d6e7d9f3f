"""Keys that are pending deletion: deleted for the provider, and still visible in KMS.

KMS developer guide, "Deleting keys"; terraform-provider-aws, `findKeyByID` takes a key that is pending
deletion for gone and its deletion for done; 2026-11.
"""

import datetime
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.store import Row, Store

KEY: Final = "aws:kms/key:Key"
PENDING: Final = "kms-key"  # among the traces
WINDOW: Final = 30  # days, where nobody says how many
UNTIL: Final = "deletionDate"  # among the outputs of a key that waits


def schedule_deletion(store: Store, row: Row, days: int) -> Row:
    """Let a key wait from now on; the key as it then is. What removes its row is the caller's."""
    until = store.now() + datetime.timedelta(days=days)
    outputs = {**row.outputs, UNTIL: until.isoformat()}
    store.note_deleted(PENDING, row.id, urn=row.urn, inputs=row.inputs, outputs=outputs)
    return Row(KEY, row.id, row.urn, row.inputs, outputs)


def cancel_deletion(store: Store, row: Row) -> None:
    """Take a key back, disabled as KMS gives it."""
    store.forget_deleted(PENDING, row.id)
    record_enabled(store, row, enabled=False)


def record_enabled(store: Store, row: Row, *, enabled: bool) -> None:
    """Keep a key as it was enabled or disabled past the program: a refresh sees it, and the next run
    makes it what the program says."""
    outputs = {k: v for k, v in row.outputs.items() if k != UNTIL} | {"isEnabled": enabled}
    inputs = {k: v for k, v in row.inputs.items() if k != "isEnabled"}
    inputs |= {} if enabled else {"isEnabled": False}
    store.put(Row(KEY, row.id, row.urn, inputs, outputs), handles=(row.id, str(outputs["arn"])))


def key_pending_deletion(store: Store, word: str) -> Row | None:
    """The key of this id or ARN, where it waits."""
    about = store.deleted_trace(PENDING, word.rsplit("/", 1)[-1])
    row = _row(word.rsplit("/", 1)[-1], about) if about else None
    return row if row and word in (row.id, row.outputs["arn"]) and deletion_date(row) > store.now() else None


def keys_past_deletion_date(store: Store) -> Iterator[Row]:
    """The keys whose last day is over."""
    for name, about in store.deleted_traces(PENDING).items():
        row = _row(name, about)
        if deletion_date(row) <= store.now():
            yield row


def keys_pending_deletion(store: Store) -> list[Row]:
    return [_row(name, about) for name, about in store.deleted_traces(PENDING).items()]


def deletion_date(row: Row) -> datetime.datetime:
    return datetime.datetime.fromisoformat(str(row.outputs[UNTIL]))


def _row(name: str, about: dict[str, object]) -> Row:
    return Row(KEY, name, str(about["urn"]), about["inputs"], about["outputs"])  # pyright: ignore[reportArgumentType]
