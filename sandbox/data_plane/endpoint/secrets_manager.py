"""Secrets Manager, for secrets of the cloud and for those that RDS keeps (API reference, 2026-11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, policy_row, tags_of
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.keys import Keys
from sandbox.data_plane.instances import INSTANCE
from sandbox.data_plane.secret_store import CURRENT, SecretStore

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
VERSION: Final = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"
VIA: Final = "secretsmanager"
MISSING: Final = "Secrets Manager can't find the specified secret"


@dataclass(frozen=True)
class Secret:
    arn: str
    name: str
    key: str | None  # None: the account's key for Secrets Manager, which everybody may use through it
    policy: str | None
    tags: Mapping[str, str]
    row: Row | None  # None for RDS's


class SecretsManager:
    def __init__(self, vault: SecretStore, keys: Keys) -> None:
        self._vault, self._keys = vault, keys

    # -- operations

    def GetSecretValue(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        stage = p.get("VersionStage") or ("" if p.get("VersionId") else CURRENT)
        known = {"secretsmanager:VersionStage": stage} if stage else {}
        secret = self._require(call, p["SecretId"], "secretsmanager:GetSecretValue", known)
        self._use_key(call, secret, "kms:Decrypt")
        stages = self._stages(secret)
        named = [v for v, those in stages.items() if stage in those] if stage else [p["VersionId"]]
        value = self._vault.secret(secret.arn, named[0]) if named else None
        if value is None or (p.get("VersionId") and named[0] != p["VersionId"]):
            which = f"staging label: {stage}" if stage else f"VersionId: {p['VersionId']}"
            raise AwsError("ResourceNotFoundException", f"{MISSING} value for {which}")
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": named[0],
            "SecretString": value.decode(),
            "VersionStages": stages.get(named[0], []),
        }

    def PutSecretValue(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._require(call, p["SecretId"], "secretsmanager:PutSecretValue", {})
        self._use_key(call, secret, "kms:GenerateDataKey")
        token, value = p.get("ClientRequestToken"), str(p["SecretString"]).encode()
        before = self._vault.secret(secret.arn, token) if token else None
        if before is not None and before != value:
            raise AwsError(
                "ResourceExistsException",
                "You can't use ClientRequestToken because it is already in use with another value.",
            )
        stages = p.get("VersionStages") or [CURRENT]
        version = self._vault.put_secret(secret.arn, secret.key or f"alias/aws/{VIA}", value, token, stages)
        found = self._stages(secret).get(version, [])
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": version, "VersionStages": found}

    def DescribeSecret(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._require(call, p["SecretId"], "secretsmanager:DescribeSecret", {})
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "KmsKeyId": secret.key,
            "Tags": [{"Key": k, "Value": v} for k, v in secret.tags.items()],
            "VersionIdsToStages": self._stages(secret),
        }

    def UpdateSecretVersionStage(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._require(call, p["SecretId"], "secretsmanager:UpdateSecretVersionStage", {})
        stage, to, away = p["VersionStage"], p.get("MoveToVersionId"), p.get("RemoveFromVersionId")
        has = next((v for v, those in self._stages(secret).items() if stage in those), None)
        if has is not None and has not in (away, to):
            raise AwsError(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId must be {has}, which has the staging label {stage}",
            )
        if to is None:
            self._vault.drop_stage(secret.arn, stage)
        elif self._vault.secret(secret.arn, to) is None:
            raise AwsError("ResourceNotFoundException", f"{MISSING} value for VersionId: {to}")
        else:
            self._vault.move_stage(secret.arn, stage, to)
        return {"ARN": secret.arn, "Name": secret.name}

    # -- parts

    def _require(self, call: Call, wanted: str, action: str, known: Mapping[str, str]) -> Secret:
        """The secret, once IAM lets it be named: who may not, does not learn whether it is there."""
        secret = self.find(call, wanted)
        arn = secret.arn if secret else _arn(call, wanted)
        context = {"secretsmanager:SecretId": arn, **known}
        asked = Asked(action, arn, secret.policy if secret else None, secret.tags if secret else {}, context)
        call.require(asked)
        if secret is None:
            raise AwsError("ResourceNotFoundException", f"{MISSING}.")
        self._take_in(call, secret)
        return secret

    def _take_in(self, call: Call, secret: Secret) -> None:
        """Versions that are resources of the cloud, as the program makes them where RDS cannot."""
        for row in call.store.all(VERSION) if secret.row else ():
            mine = row.inputs.get("secretId") == secret.arn and row.inputs.get("secretString") is not None
            version = str(row.outputs["versionId"])
            if mine and self._vault.secret(secret.arn, version) is None:
                value = str(row.inputs["secretString"]).encode()
                self._vault.put_secret(secret.arn, secret.key or f"alias/aws/{VIA}", value, version)

    def _use_key(self, call: Call, secret: Secret, action: str) -> None:
        if secret.key:
            self._keys.use(call, secret.key, action, {"SecretARN": secret.arn}, VIA)

    def find(self, call: Call, wanted: str) -> Secret | None:
        """By ARN or name."""
        for row in call.store.find(SECRET, wanted):
            policy = row.inputs.get("policy") or policy_row(call.store, POLICY, "secretArn", (row.id,))
            return Secret(
                row.id, str(row.outputs["name"]), row.inputs.get("kmsKeyId"), policy, tags_of(row), row
            )
        for row in call.store.all(INSTANCE):
            kept = (
                row.outputs.get("masterUserSecrets") if row.inputs.get("manageMasterUserPassword") else None
            )
            if kept and kept[0]["secretArn"] == wanted:
                tags = {**tags_of(row), "aws:rds:primaryDBInstanceArn": str(row.outputs["arn"])}
                key = row.outputs.get("masterUserSecretKmsKeyId")
                return Secret(wanted, wanted.rpartition(":")[2][:-7], key, None, tags, None)
        return None

    def _stages(self, secret: Secret) -> dict[str, list[str]]:
        return self._vault.stages(secret.arn)


def _arn(call: Call, wanted: str) -> str:
    if wanted.startswith("arn:"):
        return wanted
    return f"arn:aws:secretsmanager:{call.store.region}:{call.session.account}:secret:{wanted}-??????"
