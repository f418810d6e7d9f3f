"""What a deletion leaves behind, and what it prevents later."""

import datetime
from collections.abc import Iterator
from typing import Final

from sandbox.aws import backups
from sandbox.aws.backups import INSTANCE
from sandbox.aws.key_lifecycle import KEY, WINDOW, schedule_deletion
from sandbox.aws.refusals.rule import CREATE, DELETE, Refusal, RuleContext, rule
from sandbox.cloud.store import Row, Store

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
REPOSITORY: Final = "aws:ecr/repository:Repository"
SECRET_NAME: Final = "secret-name"  # noqa: S105 - a kind of name


def note(row: Row, store: Store) -> None:
    """Keep what AWS keeps of a resource that is deleted now."""
    given = row.outputs
    if row.type == KEY:
        schedule_deletion(store, row, int(given.get("deletionWindowInDays") or WINDOW))
    if row.type == SECRET and given.get("recoveryWindowInDays") != 0:
        days = int(given.get("recoveryWindowInDays") or WINDOW)
        until = store.now() + datetime.timedelta(days=days)
        store.note_deleted(SECRET_NAME, str(given["name"]), until=until.isoformat())
    if row.type == REPOSITORY:
        store.delete_images(str(given["name"]))
    if row.type == INSTANCE:
        backups.end(store, row)


def begun(row: Row, store: Store) -> None:
    """Keep what AWS begins to keep of a resource that was made or changed."""
    if row.type == INSTANCE:
        backups.begin(store, row)


@rule(CREATE, SECRET, checks=("name",))
def check_name_of_deleted_secret(at: RuleContext) -> Iterator[Refusal]:
    """Secrets Manager, DeleteSecret: the name stays taken through the recovery window."""
    waits = at.store.deleted_trace(SECRET_NAME, str(at.known("name"))) if at.before is None else None
    if waits and datetime.datetime.fromisoformat(waits["until"]) > at.store.now():
        yield Refusal(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
            "name",
        )


@rule(DELETE, REPOSITORY)
def repository_with_images(at: RuleContext) -> Iterator[Refusal]:
    """ECR API reference, DeleteRepository, 2026-11."""
    name = str(at.known("name"))
    if at.store.images(name) and not at.known("forceDelete"):
        words = (
            f"The repository with name '{name}' in registry with id '{at.store.account}' cannot be deleted"
        )
        yield Refusal("RepositoryNotEmptyException", f"{words} because it still contains images")
