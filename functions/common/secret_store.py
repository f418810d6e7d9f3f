"""Secrets Manager, as far as the functions need it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from functions.common.aws_client import aws_client

Secret: TypeAlias = Mapping[str, Any]

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"


class Store(Protocol):
    """Secrets are found by ARN; a version by its id (a rotation's token) or its stage."""

    def read(self, arn: str, version: str | None = None) -> Secret | None:
        """The current version or the one named; None where there is none yet."""
        ...

    def write(self, arn: str, content: Secret, version: str | None = None) -> None:
        """As a new current version, or as the pending one of that id."""
        ...

    def stages(self, arn: str) -> Mapping[str, Sequence[str]]:
        """Version → its stages."""
        ...

    def promote(self, arn: str, version: str) -> None:
        """Make that version the current one."""
        ...

    def drop(self, arn: str, version: str) -> None:
        """Let a pending version be forgotten."""
        ...


class SecretsManager:
    """The real one."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or aws_client("secretsmanager")

    def read(self, arn: str, version: str | None = None) -> Secret | None:
        which = {"VersionId": version} if version else {"VersionStage": CURRENT}
        try:
            found = self._client.get_secret_value(SecretId=arn, **which)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return json.loads(found["SecretString"])

    def write(self, arn: str, content: Secret, version: str | None = None) -> None:
        which = {"ClientRequestToken": version, "VersionStages": [PENDING]} if version else {}
        self._client.put_secret_value(SecretId=arn, SecretString=json.dumps(content), **which)

    def stages(self, arn: str) -> Mapping[str, Sequence[str]]:
        return self._client.describe_secret(SecretId=arn).get("VersionIdsToStages", {})

    def promote(self, arn: str, version: str) -> None:
        old = [v for v, stages in self.stages(arn).items() if CURRENT in stages]
        which = {"RemoveFromVersionId": old[0]} if old else {}
        self._client.update_secret_version_stage(
            SecretId=arn, VersionStage=CURRENT, MoveToVersionId=version, **which
        )

    def drop(self, arn: str, version: str) -> None:
        self._client.update_secret_version_stage(
            SecretId=arn, VersionStage=PENDING, RemoveFromVersionId=version
        )
