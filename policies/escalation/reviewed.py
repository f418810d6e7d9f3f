"""Actions that AWS calls permissions management and that give no further privileges, with the reason.

Of the services that a plan is made of (service authorization reference, 2026-11). An action that AWS adds
fails a test until it is here or among the techniques.
"""

from collections.abc import Mapping
from typing import Final

REVIEWED: Final = ("dynamodb", "ecr", "iam", "kms", "lambda", "secretsmanager", "sns", "sqs", "ssm", "sts")
_WHY: Final[Mapping[str, Mapping[str, str]]] = {
    "makes something of its own, that has nothing until one of the above gives it something": {
        "iam": "CreateGroup CreateInstanceProfile CreatePolicy CreateRole CreateUser"
        " CreateServiceLinkedRole CreateAccountAlias UploadServerCertificate"
        " AddRoleToInstanceProfile",
        "sqs": "CreateQueue",
        "sns": "CreateTopic",
        "lambda": "AddLayerVersionPermission",
    },
    "takes away, and so can disturb, but gives nothing": {
        "iam": "DeleteAccessKey DeleteAccountAlias DeleteAccountPasswordPolicy DeleteGroup"
        " DeleteInstanceProfile DeleteLoginProfile DeleteOpenIDConnectProvider DeletePolicy"
        " DeletePolicyVersion DeleteRole DeleteSAMLProvider DeleteSSHPublicKey"
        " DeleteServerCertificate DeleteServiceLinkedRole DeleteServiceSpecificCredential"
        " DeleteSigningCertificate DeleteUser DeleteVirtualMFADevice"
        " RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile",
        "kms": "RetireGrant RevokeGrant",
        "sqs": "RemovePermission",
        "sns": "RemovePermission",
        "lambda": "RemovePermission RemoveLayerVersionPermission DisableReplication",
        "dynamodb": "DeleteResourcePolicy",
        "ssm": "DeleteResourcePolicy",
        "ecr": "DeleteRegistryPolicy DeleteRepositoryPolicy",
    },
    "changes names, descriptions or settings that give nobody a permission": {
        "iam": "ChangePassword SetSecurityTokenServicePreferences UpdateAccountPasswordPolicy UpdateGroup"
        " UpdateRole UpdateRoleDescription UpdateServerCertificate UpdateUser",
        "lambda": "EnableReplication",
        "secretsmanager": "ValidateResourcePolicy",
        "dynamodb": "UpdateAbacStatus",
        "ssm": "ModifyDocumentPermission",
        "ecr": "PutRegistryPolicy",
    },
}
NO_WAY: Final[Mapping[str, tuple[str, ...]]] = {
    why: tuple(f"{service}:{word}" for service, words in table.items() for word in words.split())
    for why, table in _WHY.items()
}
