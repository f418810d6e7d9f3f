"""The AWS services that the function uses: the catalog, a tenant's signing keys, the queue."""

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .posting import DeliveryError

TENANT_TAG: Final = "tenant"  # the session tag that a tenant's trust policy compares
_SESSION_SECONDS: Final = 900  # the shortest that STS gives


class Aws:
    """Clients are made when first needed; boto3 comes with Lambda's runtime."""

    def __init__(self, catalog_path: str, queue_url: str, session: Any = None) -> None:
        self._catalog_path, self._queue_url, self._session = catalog_path, queue_url, session

    def _client(self, service: str, **credentials: str) -> Any:
        if self._session is None:
            self._session = importlib.import_module("boto3").session.Session()
        return self._session.client(service, **credentials)

    def catalog_entry(self, tenant: str) -> Mapping[str, Any]:
        """Where the tenant's things are; raises `DeliveryError` for a tenant that is not there."""
        ssm = self._client("ssm")
        try:
            found = ssm.get_parameter(Name=f"{self._catalog_path}/{tenant}")
        except ssm.exceptions.ParameterNotFound:
            raise DeliveryError(f"tenant {tenant} is not in the catalog") from None
        entry: Mapping[str, Any] = json.loads(found["Parameter"]["Value"])
        if entry.get("tenant") != tenant:
            raise DeliveryError(f"the catalog's entry of {tenant} is not its own")
        return entry

    def signing_keys(self, tenant: str, role_arn: str, secret_arn: str) -> Sequence[str]:
        """The current key and, while one is being rotated, the one before; read as the tenant.

        The session may do this one thing of all that the tenant's role may.
        """
        secrets = self._client("secretsmanager", **self._become(tenant, role_arn, secret_arn))
        current = secrets.get_secret_value(SecretId=secret_arn, VersionStage="AWSCURRENT")
        try:
            previous = secrets.get_secret_value(SecretId=secret_arn, VersionStage="AWSPREVIOUS")
        except secrets.exceptions.ResourceNotFoundException:
            return [_key(current)]
        return [_key(current), _key(previous)]

    def _become(self, tenant: str, role_arn: str, secret_arn: str) -> dict[str, str]:
        only = [
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret_arn},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
        ]
        given = self._client("sts").assume_role(
            RoleArn=role_arn,
            RoleSessionName="webhook-delivery",
            DurationSeconds=_SESSION_SECONDS,
            Tags=[{"Key": TENANT_TAG, "Value": tenant}],
            Policy=json.dumps({"Version": "2012-10-17", "Statement": only}),
        )["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def show_again(self, receipt: str, seconds: int) -> None:
        """Bring the message back after `seconds` and not at the queue's usual time."""
        self._client("sqs").change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


def _key(secret: Mapping[str, Any]) -> str:
    return str(json.loads(secret["SecretString"])["key"])
