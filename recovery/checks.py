"""Checks before a stack is changed: account, Region and passphrase are the right ones."""

import base64
import hashlib
import importlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recovery.engine import Deployment, RecoveryError, Stack, last_line, mapping, resources

AWS: Final = "pulumi:providers:aws"
CREDENTIALS: Final = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
STOPPED: Final = "nothing was changed"


def require_same_account_and_region(
    stack: Stack, deployment: Deployment, identity: Callable[[], str | None] | None = None
) -> None:
    """Raise `RecoveryError` where settings, state and credentials do not name one account and Region."""
    account, region = stack.setting("accountId"), stack.setting("region")
    for provider in resources(deployment):
        if provider["type"] != AWS or provider["urn"].rsplit("::", 1)[1] != "aws":
            continue  # further ones look into other Regions on purpose
        inputs = mapping(provider.get("inputs"))
        (known,) = _provider_setting(inputs.get("allowedAccountIds")) or [None]
        for what, expected, found in (("account", account, known), ("Region", region, inputs.get("region"))):
            if expected and found and str(expected) != str(found):
                raise RecoveryError(
                    f"stack {stack.name}: its resources are in {what} {found}, and {stack.file.name} names"
                    f" {expected}; put {found} back, or make a new stack for {expected}; {STOPPED}"
                )
    mine = identity() if identity else caller_account(stack.env)
    if account and mine and mine != account:
        raise RecoveryError(
            f"stack {stack.name}: expected the credentials of account {account}, found those of {mine};"
            f" change AWS_PROFILE; {STOPPED}"
        )


def caller_account(env: Mapping[str, str]) -> str | None:
    """The account of the credentials in the environment; None where there are none to ask about."""
    if not any(env.get(name) for name in CREDENTIALS):
        return None
    try:
        boto3 = importlib.import_module("boto3")  # slow, and only where there is an AWS to ask
    except ImportError:
        return None  # the provider itself refuses another account, later (`allowed_account_ids`)
    try:
        return str(boto3.client("sts").get_caller_identity()["Account"])
    except Exception as wrong:
        raise RecoveryError(f"the AWS credentials do not work: {wrong}; {STOPPED}") from None


def require_passphrase(stack: Stack, deployment: Deployment) -> None:
    """Raise `RecoveryError` where the state's secrets cannot be opened."""
    provider = mapping(deployment.get("secrets_providers"))
    salt = mapping(provider.get("state")).get("salt")
    if salt is None:  # under a key of a cloud: the engine has to ask for it
        status, output = stack.pulumi("stack", "export", "--show-secrets", "--file", os.devnull)
        if status:
            raise RecoveryError(f"stack {stack.name}: its secrets stay shut: {last_line(output)}; {STOPPED}")
        return
    source, passphrase = _find_passphrase(stack.env)
    if passphrase is None or not passphrase_fits(passphrase, salt):
        raise RecoveryError(
            f"stack {stack.name}: expected the passphrase under which its secrets were encrypted, found"
            f" {f'another in {source}' if source else 'none'}; {STOPPED}"
        )


def passphrase_fits(passphrase: str, salt: str) -> bool:
    """Whether a passphrase fits the engine's `v1:SALT:v1:NONCE:CIPHERTEXT` (its config/crypt.go)."""
    _, raw, _, nonce, text = salt.split(":")
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), base64.b64decode(raw), 1_000_000, 32)
    try:
        return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(text), None) == b"pulumi"
    except InvalidTag:
        return False


def _find_passphrase(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Where it comes from, in the engine's order, and what it is."""
    if "PULUMI_CONFIG_PASSPHRASE" in env:
        return "PULUMI_CONFIG_PASSPHRASE", env["PULUMI_CONFIG_PASSPHRASE"]
    if path := env.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except OSError as wrong:
            raise RecoveryError(
                f"the passphrase of {path} cannot be read: {wrong.strerror}; {STOPPED}"
            ) from None
        return f"{path} (PULUMI_CONFIG_PASSPHRASE_FILE)", text
    return None, None


def _provider_setting(value: Any) -> Any:
    """Provider configuration is JSON text wherever it is not a string."""
    return json.loads(value) if isinstance(value, str) and value[:1] == "[" else value
