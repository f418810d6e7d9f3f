"""KMS: real encryption, under keys of the cloud whose policies decide (KMS API reference, 2026-11)."""

import base64
import json
import os
import struct
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.key_lifecycle import KEY, UNTIL, deletion_date, key_pending_deletion
from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, tags_of
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.key_destruction import ALIAS, delete_due_keys
from sandbox.data_plane.secret_store import SecretStore, WrongCiphertext
from sandbox.json_values import members

SIZES: Final = {"AES_256": 32, "AES_128": 16}
LARGEST: Final = 4096  # bytes that Encrypt takes


class Keys:
    """`via` names the service that asks KMS on the caller's behalf, as Secrets Manager does."""

    def __init__(self, vault: SecretStore) -> None:
        self._vault = vault

    # -- operations

    def Encrypt(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        if len(p["Plaintext"]) > LARGEST:
            raise AwsError("ValidationException", f"Plaintext is longer than {LARGEST} bytes")
        blob, arn = self.encrypt(call, p["KeyId"], _bytes(p["Plaintext"]), p.get("EncryptionContext") or {})
        return {"CiphertextBlob": blob, "KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def Decrypt(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        plain, arn = self.decrypt(
            call, _bytes(p["CiphertextBlob"]), p.get("EncryptionContext") or {}, p.get("KeyId")
        )
        return {"Plaintext": plain, "KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def GenerateDataKey(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        context = members(p.get("EncryptionContext"))
        row = self.use(call, p["KeyId"], "kms:GenerateDataKey", context)
        plain = os.urandom(int(p.get("NumberOfBytes") or SIZES[p.get("KeySpec") or "AES_256"]))
        return {"Plaintext": plain, "CiphertextBlob": self._seal(row, plain, context), "KeyId": arn_of(row)}

    def GenerateDataKeyWithoutPlaintext(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        context = members(p.get("EncryptionContext"))
        row = self.use(call, p["KeyId"], "kms:GenerateDataKeyWithoutPlaintext", context)
        plain = os.urandom(int(p.get("NumberOfBytes") or SIZES[p.get("KeySpec") or "AES_256"]))
        return {"CiphertextBlob": self._seal(row, plain, context), "KeyId": arn_of(row)}

    def DescribeKey(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row = self._find(call, p["KeyId"])
        self._require(call, row, "kms:DescribeKey", {}, None)
        until = {"DeletionDate": deletion_date(row)} if UNTIL in row.outputs else {}
        return {
            "KeyMetadata": {
                "AWSAccountId": call.session.account,
                "KeyId": row.id,
                "Arn": arn_of(row),
                "Enabled": state_of(row) == "Enabled",
                "KeyState": state_of(row),
                "KeyUsage": row.outputs["keyUsage"],
                "KeySpec": row.outputs["customerMasterKeySpec"],
                "KeyManager": "CUSTOMER",
                "Origin": "AWS_KMS",
                "MultiRegion": bool(row.outputs.get("multiRegion")),
                "Description": row.outputs.get("description") or "",
                **until,
            }
        }

    # -- for other services

    def encrypt(
        self, call: Call, key: str, plain: bytes, context: Mapping[str, str], via: str | None = None
    ) -> tuple[bytes, str]:
        """Ciphertext and the key's ARN. Services ask for data keys where a caller would encrypt."""
        row = self.use(call, key, "kms:GenerateDataKey" if via else "kms:Encrypt", context, via)
        return self._seal(row, plain, context), arn_of(row)

    def decrypt(
        self,
        call: Call,
        blob: bytes,
        context: Mapping[str, str],
        key: str | None = None,
        via: str | None = None,
    ) -> tuple[bytes, str]:
        """The ciphertext says itself which key it is under."""
        try:
            (size,) = struct.unpack("!H", blob[:2])
            named, sealed = blob[2 : 2 + size].decode(), blob[2 + size :]
        except (struct.error, UnicodeDecodeError):
            raise AwsError("InvalidCiphertextException", "") from None
        if key is not None and arn_of(self._find(call, key)) != named:
            raise AwsError(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            )
        row = self.use(call, named, "kms:Decrypt", context, via)
        try:
            return self._vault.decrypt(arn_of(row), sealed, context), arn_of(row)
        except WrongCiphertext:
            raise AwsError("InvalidCiphertextException", "") from None

    def use(
        self, call: Call, key: str, action: str, context: Mapping[str, str], via: str | None = None
    ) -> Row:
        """The key, once its policy and the caller's let it be used and its state does."""
        row = self._find(call, key)
        self._require(call, row, action, context, via)
        if state_of(row) == "PendingDeletion":
            raise pending(row)
        if state_of(row) == "Disabled":
            raise AwsError("DisabledException", f"{arn_of(row)} is disabled.")
        return row

    def _require(
        self,
        call: Call,
        row: Row,
        action: str,
        context: Mapping[str, str],
        via: str | None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        aliases = [r for r in call.store.all(ALIAS) if r.inputs.get("targetKeyId") in (row.id, arn_of(row))]
        known: dict[str, str | list[str]] = {
            "kms:CallerAccount": call.session.account,
            "kms:KeySpec": str(row.outputs["customerMasterKeySpec"]),
            "kms:KeyUsage": str(row.outputs["keyUsage"]),
            "kms:KeyOrigin": "AWS_KMS",
            **{f"kms:EncryptionContext:{k}": v for k, v in context.items()},
            **(more or {}),
        }
        if aliases:
            known["kms:ResourceAliases"] = [str(r.outputs["name"]) for r in aliases]
        if context:
            known["kms:EncryptionContextKeys"] = sorted(context)
        if via:
            known["kms:ViaService"] = f"{via}.{call.store.region}.amazonaws.com"
        call.require(
            Asked(
                action,
                arn_of(row),
                policy=str(row.inputs["policy"]) if row.inputs.get("policy") else _default(call),
                tags=tags_of(row),
                context=known,
                resource_decides=True,
                forwarded=via is not None,
            )
        )

    def _find(self, call: Call, key: str) -> Row:
        """By id, ARN, alias or ARN of an alias; also one that waits for its deletion, until it has come."""
        delete_due_keys(call.store, self._vault)
        name = key.rpartition(":")[2] if ":alias/" in key else key
        for alias in call.store.find(ALIAS, name):
            key = str(alias.inputs["targetKeyId"])
        rows = call.store.find(KEY, key)
        rows = rows or [row for row in (key_pending_deletion(call.store, key),) if row]
        if not rows:
            where = f"arn:aws:kms:{call.store.region}:{call.session.account}:"
            named = (
                key
                if key.startswith("arn:")
                else f"{where}{'' if name.startswith('alias/') else 'key/'}{key}"
            )
            raise AwsError("NotFoundException", f"Key '{named}' does not exist")
        return rows[0]

    def _seal(self, row: Row, plain: bytes, context: Mapping[str, str]) -> bytes:
        name = arn_of(row).encode()
        return struct.pack("!H", len(name)) + name + self._vault.encrypt(arn_of(row), plain, context)


def arn_of(row: Row) -> str:
    return str(row.outputs["arn"])


def state_of(row: Row) -> str:
    if UNTIL in row.outputs:
        return "PendingDeletion"
    return "Enabled" if row.outputs.get("isEnabled", True) else "Disabled"


def pending(row: Row) -> AwsError:
    return AwsError("KMSInvalidStateException", f"{arn_of(row)} is pending deletion.")


def _default(call: Call) -> str:
    """The policy of a key that was made without one: the account's administrators decide."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{call.session.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def _bytes(value: Any) -> bytes:
    """What the parser made of a blob."""
    return value if isinstance(value, bytes) else base64.b64decode(value)
