"""What registries and ECS know beside resources: the images that were pushed, and how deployments ended."""

import sqlite3
from dataclasses import dataclass
from typing import Final

SCHEMA: Final = """
-- Of an image's content the sandbox knows one thing: whether a container of it becomes healthy.
CREATE TABLE IF NOT EXISTS images (
    account TEXT NOT NULL, region TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL,
    healthy INTEGER NOT NULL, PRIMARY KEY (account, region, repository, digest)
);
CREATE TABLE IF NOT EXISTS deployments (
    number INTEGER PRIMARY KEY, service TEXT NOT NULL, revision TEXT NOT NULL, status TEXT NOT NULL,
    reason TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Deployment:
    """One of a service: `status` as ListServiceDeployments has it; `reason` is why a task stopped, or ""."""

    revision: str  # ARN of the task definition
    status: str
    reason: str


def push_image(
    db: sqlite3.Connection, registry: tuple[str, str], name: tuple[str, str], healthy: bool
) -> None:
    """Keep an image; `registry` is account and Region, `name` repository and digest."""
    db.execute("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)", (*registry, *name, healthy))


def images(db: sqlite3.Connection, registry: tuple[str, str], repository: str) -> dict[str, bool]:
    """Digest → whether a container of it becomes healthy."""
    query = "SELECT digest, healthy FROM images WHERE account = ? AND region = ? AND repository = ?"
    return {digest: bool(healthy) for digest, healthy in db.execute(query, (*registry, repository))}


def delete_images(db: sqlite3.Connection, registry: tuple[str, str], repository: str) -> None:
    """They go with their repository."""
    query = "DELETE FROM images WHERE account = ? AND region = ? AND repository = ?"
    db.execute(query, (*registry, repository))


def note_deployment(db: sqlite3.Connection, service: str, deployment: Deployment) -> None:
    """Keep how a deployment of a service (its ARN) ended."""
    values = (service, deployment.revision, deployment.status, deployment.reason)
    db.execute("INSERT INTO deployments (service, revision, status, reason) VALUES (?, ?, ?, ?)", values)


def deployments(db: sqlite3.Connection, service: str) -> list[Deployment]:
    """All of a service, the last one first."""
    query = "SELECT revision, status, reason FROM deployments WHERE service = ? ORDER BY number DESC"
    return [Deployment(*row) for row in db.execute(query, (service,))]
