"""Secrets Manager's side of a rotation: labels a pending version and calls the function step by step.

Secrets Manager user guide, "Rotation by Lambda function", 2026-11.
"""

import uuid
from typing import Final

from sandbox.cloud.store import Store
from sandbox.data_plane.functions import FUNCTION, Functions
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.secret_store import SecretStore

ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"
PERMISSION: Final = "aws:lambda/permission:Permission"
STEPS: Final = ("createSecret", "setSecret", "testSecret", "finishSecret")
CALLER: Final = "secretsmanager.amazonaws.com"
PENDING: Final = "AWSPENDING"


def rotate(store: Store, vault: SecretStore, functions: Functions, secret: str) -> str:
    """Rotate a secret now; the id of its new version. Raises `DataPlaneError` in AWS's words."""
    rows = [r for r in store.all(ROTATION) if r.inputs["secretId"] == secret]
    if not rows:
        raise DataPlaneError("InvalidRequestException: You must enable rotation for this secret.")
    arn = str(rows[0].inputs["rotationLambdaArn"])
    names = [str(r.outputs["name"]) for r in store.find(FUNCTION, arn)]
    allowed = [
        r
        for r in store.all(PERMISSION)
        if r.inputs["function"] in names
        and r.inputs["principal"] == CALLER
        and r.inputs.get("sourceAccount") in (None, store.account)
    ]
    if not allowed:
        raise DataPlaneError(
            "AccessDeniedException: Secrets Manager cannot invoke the specified Lambda function. Ensure that"
            " the function policy grants access to the principal secretsmanager.amazonaws.com."
        )
    token = str(uuid.uuid4())
    vault.move_stage(secret, PENDING, token)
    for step in STEPS:
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": token, "RotationToken": token}
        functions.invoke(store, names[0], event)
    vault.drop_stage(secret, PENDING)
    return token
