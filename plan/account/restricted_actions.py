"""Actions that delete records or create identities: denied by SCPs, and to the roles that deploy."""

from collections.abc import Mapping
from typing import Final

# What ends the records and the watch over an account. Only administrators of the landing zone may.
ENDS: Final[Mapping[str, str]] = {
    "access-analyzer": "DeleteAnalyzer",
    "cloudtrail": "DeleteTrail StopLogging DeleteEventDataStore StopEventDataStoreIngestion",
    "config": "DeleteConfigurationRecorder DeleteDeliveryChannel StopConfigurationRecorder"
    " DeleteRetentionConfiguration",
    "ec2": "DisableEbsEncryptionByDefault DisableImageBlockPublicAccess DisableSnapshotBlockPublicAccess"
    " DeleteFlowLogs",
    "guardduty": "DeleteDetector DeleteMembers DisassociateFromAdministratorAccount"
    " DisassociateFromMasterAccount DisassociateMembers StopMonitoringMembers",
    "inspector2": "Disable DisassociateMember",
    "securityhub": "BatchDisableStandards DeleteMembers DisableSecurityHub"
    " DisassociateFromAdministratorAccount DisassociateFromMasterAccount DisassociateMembers",
}


# Ways to more than one has, on the roles and limits that the landing zone stands on.
IDENTITIES: Final[Mapping[str, str]] = {
    "iam": "AttachRolePolicy CreatePolicyVersion CreateRole DeletePolicy DeletePolicyVersion DeleteRole"
    " DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary"
    " PutRolePolicy SetDefaultPolicyVersion UpdateAssumeRolePolicy UpdateRole",
}
