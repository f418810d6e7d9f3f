"""Published privilege-escalation techniques as a table: what each needs, what it gives, and its source.

Collected 2026-11; that the actions are AWS's is held by a test. `since` is the year of the list that had the
technique first, or of the AWS feature. Sources:
`rhino`: Rhino Security Labs, rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation and the
repository RhinoSecurityLabs/AWS-IAM-Privilege-Escalation.
`hacking`: hackingthe.cloud, "AWS IAM Privilege Escalation Techniques".
`bishop`: Bishop Fox, "IAM Vulnerable".
`pathfinding`: Datadog Security Labs, pathfinding.cloud.
`aws`: what AWS's service authorization reference says that the action does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TechniqueKind(StrEnum):
    """What a technique does, and so what of the plan it reaches."""

    ROLE = "changes what a role may do"
    TRUST = "changes who may be a role"
    UNBOUND = "takes a boundary away"
    UNREFUSED = "takes a refusal away"
    POLICY = "changes a policy that roles carry"
    USER = "becomes a user, or changes one"
    FEDERATION = "says who may sign in from elsewhere"
    PASS = "has a service run as a role"  # noqa: S105 - not a password
    COMPUTE = "runs code as something that is there"
    ASSUME = "assumes a role"
    USE = "uses what is another's"
    OPEN = "lets itself in"


@dataclass(frozen=True, slots=True)
class Technique:
    """`actions` are all needed, the first on the target (for `PASS`, on the role that is passed).

    `services`: who runs as the passed role. `targets`: the types whose resources it is done to, and for
    `COMPUTE` those that run as a role. `example` is tried on a plan by `policies.escalation.examples`.
    """

    id: str
    way: TechniqueKind
    actions: tuple[str, ...]
    source: str
    since: str
    services: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def example(self, target: str) -> Sequence[Mapping[str, object]]:
        """Bad statements that give it away, on one thing; what else it takes, on everything."""
        first = {
            "Sid": "On",
            "Effect": "Allow",
            "Action": self.actions[0],
            "Resource": target,
        }
        rest = {"Sid": "With", "Effect": "Allow", "Action": list(self.actions[1:]), "Resource": "*"}
        return [first, rest] if self.actions[1:] else [first]


ECS: Final = "ecs-tasks.amazonaws.com"
FUNCTION: Final = "aws:lambda/function:Function"
TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
INSTANCE: Final = "aws:ec2/instance:Instance"
PROJECT: Final = "aws:codebuild/project:Project"
JOB: Final = "aws:glue/job:Job"
DEV_ENDPOINT: Final = "aws:glue/devEndpoint:DevEndpoint"
NOTEBOOK: Final = "aws:sagemaker/notebookInstance:NotebookInstance"
STACK: Final = "aws:cloudformation/stack:Stack"
PIPELINE: Final = "aws:datapipeline/pipeline:Pipeline"
MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
KEY: Final = "aws:kms/key:Key"
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
BUCKET: Final = "aws:s3/bucket:Bucket"
PARAMETER: Final = "aws:ssm/parameter:Parameter"
QUEUE: Final = "aws:sqs/queue:Queue"
TOPIC: Final = "aws:sns/topic:Topic"
TABLE: Final = "aws:dynamodb/table:Table"
REPOSITORY: Final = "aws:ecr/repository:Repository"
DATABASE: Final = "aws:rds/instance:Instance"


def _one(
    way: TechniqueKind, source: str, since: str, *actions: str, targets: tuple[str, ...] = ()
) -> list[Technique]:
    """Techniques of one action each."""
    return [Technique(a, way, (a,), source, since, targets=targets) for a in actions]


def _pass(service: str, source: str, since: str, *actions: str) -> Technique:
    return Technique(
        f"iam:PassRole+{'+'.join(actions)}",
        TechniqueKind.PASS,
        ("iam:PassRole", *actions),
        source,
        since,
        (service,),
    )


TECHNIQUES: Final[tuple[Technique, ...]] = (
    *_one(TechniqueKind.ROLE, "rhino", "2018", "iam:AttachRolePolicy", "iam:PutRolePolicy"),
    *_one(TechniqueKind.TRUST, "rhino", "2018", "iam:UpdateAssumeRolePolicy"),
    *_one(TechniqueKind.POLICY, "rhino", "2018", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
    *_one(
        TechniqueKind.UNBOUND,
        "aws",
        "2018",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
    ),
    *_one(TechniqueKind.UNREFUSED, "pathfinding", "2025", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"),
    *_one(TechniqueKind.USER, "rhino", "2018", "iam:CreateAccessKey", "iam:CreateLoginProfile"),
    *_one(TechniqueKind.USER, "rhino", "2018", "iam:UpdateLoginProfile", "iam:AttachUserPolicy"),
    *_one(TechniqueKind.USER, "rhino", "2018", "iam:PutUserPolicy", "iam:AddUserToGroup"),
    *_one(TechniqueKind.USER, "rhino", "2018", "iam:AttachGroupPolicy", "iam:PutGroupPolicy"),
    *_one(
        TechniqueKind.USER,
        "aws",
        "2018",
        "iam:PutUserPermissionsBoundary",
        "iam:DeleteUserPermissionsBoundary",
    ),
    *_one(TechniqueKind.USER, "pathfinding", "2025", "iam:DeleteUserPolicy", "iam:DetachUserPolicy"),
    *_one(TechniqueKind.USER, "pathfinding", "2025", "iam:DeleteGroupPolicy", "iam:DetachGroupPolicy"),
    *_one(TechniqueKind.USER, "aws", "2018", "iam:RemoveUserFromGroup", "iam:UpdateAccessKey"),
    *_one(TechniqueKind.USER, "aws", "2018", "iam:UploadSigningCertificate", "iam:UpdateSigningCertificate"),
    *_one(TechniqueKind.USER, "aws", "2018", "iam:UploadSSHPublicKey", "iam:UpdateSSHPublicKey"),
    *_one(TechniqueKind.USER, "aws", "2018", "iam:CreateServiceSpecificCredential"),
    *_one(
        TechniqueKind.USER,
        "aws",
        "2018",
        "iam:ResetServiceSpecificCredential",
        "iam:UpdateServiceSpecificCredential",
    ),
    *_one(TechniqueKind.USER, "aws", "2018", "iam:CreateVirtualMFADevice", "iam:EnableMFADevice"),
    *_one(TechniqueKind.USER, "aws", "2018", "iam:DeactivateMFADevice", "iam:ResyncMFADevice"),
    *_one(TechniqueKind.FEDERATION, "aws", "2018", "iam:CreateSAMLProvider", "iam:UpdateSAMLProvider"),
    *_one(TechniqueKind.FEDERATION, "aws", "2018", "iam:CreateOpenIDConnectProvider"),
    *_one(TechniqueKind.FEDERATION, "aws", "2018", "iam:AddClientIDToOpenIDConnectProvider"),
    *_one(TechniqueKind.FEDERATION, "aws", "2018", "iam:UpdateOpenIDConnectProviderThumbprint"),
    _pass("lambda.amazonaws.com", "rhino", "2018", "lambda:CreateFunction", "lambda:InvokeFunction"),
    _pass(
        "lambda.amazonaws.com", "rhino", "2018", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"
    ),
    _pass("lambda.amazonaws.com", "pathfinding", "2025", "lambda:CreateFunction", "lambda:AddPermission"),
    _pass("lambda.amazonaws.com", "hacking", "2020", "lambda:UpdateFunctionConfiguration"),
    _pass("ec2.amazonaws.com", "rhino", "2018", "ec2:RunInstances"),
    _pass("ec2.amazonaws.com", "hacking", "2020", "ec2:AssociateIamInstanceProfile"),
    _pass("ec2.amazonaws.com", "pathfinding", "2025", "ec2:RequestSpotInstances"),
    _pass("ec2.amazonaws.com", "pathfinding", "2025", "autoscaling:CreateAutoScalingGroup"),
    _pass(ECS, "bishop", "2021", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    _pass(ECS, "bishop", "2021", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    _pass(ECS, "pathfinding", "2025", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    _pass(ECS, "pathfinding", "2025", "ecs:RegisterTaskDefinition", "ecs:UpdateService"),
    _pass(ECS, "aws", "2020", "events:PutRule", "events:PutTargets"),
    _pass(ECS, "aws", "2022", "scheduler:CreateSchedule"),
    _pass("codebuild.amazonaws.com", "hacking", "2020", "codebuild:CreateProject", "codebuild:StartBuild"),
    _pass("codebuild.amazonaws.com", "hacking", "2020", "codebuild:UpdateProject", "codebuild:StartBuild"),
    _pass("glue.amazonaws.com", "rhino", "2018", "glue:CreateDevEndpoint"),
    _pass("glue.amazonaws.com", "bishop", "2021", "glue:CreateJob", "glue:StartJobRun"),
    _pass("glue.amazonaws.com", "bishop", "2021", "glue:UpdateJob", "glue:StartJobRun"),
    _pass("cloudformation.amazonaws.com", "rhino", "2018", "cloudformation:CreateStack"),
    _pass("cloudformation.amazonaws.com", "hacking", "2020", "cloudformation:UpdateStack"),
    _pass("cloudformation.amazonaws.com", "pathfinding", "2025", "cloudformation:CreateStackSet"),
    _pass("sagemaker.amazonaws.com", "rhino", "2019", "sagemaker:CreateNotebookInstance"),
    _pass("sagemaker.amazonaws.com", "rhino", "2019", "sagemaker:CreateTrainingJob"),
    _pass("sagemaker.amazonaws.com", "rhino", "2019", "sagemaker:CreateProcessingJob"),
    _pass(
        "datapipeline.amazonaws.com",
        "rhino",
        "2018",
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
    ),
    _pass("states.amazonaws.com", "hacking", "2020", "states:CreateStateMachine", "states:StartExecution"),
    _pass("batch.amazonaws.com", "pathfinding", "2025", "batch:RegisterJobDefinition", "batch:SubmitJob"),
    _pass("apprunner.amazonaws.com", "pathfinding", "2025", "apprunner:CreateService"),
    _pass("elasticmapreduce.amazonaws.com", "pathfinding", "2025", "elasticmapreduce:RunJobFlow"),
    _pass("ssm.amazonaws.com", "aws", "2020", "ssm:StartAutomationExecution"),
    _pass(
        "bedrock-agentcore.amazonaws.com", "pathfinding", "2025", "bedrock-agentcore:CreateCodeInterpreter"
    ),
    *_one(
        TechniqueKind.COMPUTE,
        "rhino",
        "2018",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        targets=(FUNCTION,),
    ),
    *_one(
        TechniqueKind.COMPUTE,
        "rhino",
        "2020",
        "ecs:RunTask",
        "ecs:StartTask",
        "ecs:ExecuteCommand",
        targets=(TASK,),
    ),
    *_one(
        TechniqueKind.COMPUTE,
        "hacking",
        "2020",
        "codebuild:StartBuild",
        "codebuild:StartBuildBatch",
        targets=(PROJECT,),
    ),
    *_one(TechniqueKind.COMPUTE, "rhino", "2018", "glue:UpdateDevEndpoint", targets=(DEV_ENDPOINT,)),
    *_one(TechniqueKind.COMPUTE, "bishop", "2021", "glue:UpdateJob", targets=(JOB,)),
    *_one(
        TechniqueKind.COMPUTE,
        "rhino",
        "2019",
        "sagemaker:CreatePresignedNotebookInstanceUrl",
        targets=(NOTEBOOK,),
    ),
    *_one(
        TechniqueKind.COMPUTE,
        "hacking",
        "2020",
        "sagemaker:CreateNotebookInstanceLifecycleConfig",
        "sagemaker:UpdateNotebookInstance",
        targets=(NOTEBOOK,),
    ),
    *_one(TechniqueKind.COMPUTE, "rhino", "2018", "ssm:SendCommand", "ssm:StartSession", targets=(INSTANCE,)),
    *_one(
        TechniqueKind.COMPUTE,
        "hacking",
        "2020",
        "ec2-instance-connect:SendSSHPublicKey",
        "ec2:ModifyInstanceAttribute",
        targets=(INSTANCE,),
    ),
    *_one(
        TechniqueKind.COMPUTE,
        "hacking",
        "2020",
        "cloudformation:UpdateStack",
        "cloudformation:ExecuteChangeSet",
        targets=(STACK,),
    ),
    *_one(TechniqueKind.COMPUTE, "rhino", "2018", "datapipeline:PutPipelineDefinition", targets=(PIPELINE,)),
    *_one(TechniqueKind.COMPUTE, "hacking", "2020", "states:UpdateStateMachine", targets=(MACHINE,)),
    *_one(TechniqueKind.ASSUME, "rhino", "2018", "sts:AssumeRole"),
    *_one(TechniqueKind.USE, "aws", "2018", "secretsmanager:GetSecretValue", targets=(SECRET,)),
    *_one(TechniqueKind.USE, "aws", "2018", "kms:Decrypt", targets=(KEY,)),
    *_one(TechniqueKind.USE, "aws", "2018", "s3:GetObject", "s3:PutObject", targets=(BUCKET,)),
    *_one(TechniqueKind.USE, "aws", "2018", "ssm:GetParameter", targets=(PARAMETER,)),
    *_one(TechniqueKind.USE, "aws", "2018", "ssm:PutParameter", targets=(PARAMETER,)),
    *_one(TechniqueKind.USE, "aws", "2018", "sqs:ReceiveMessage", targets=(QUEUE,)),
    *_one(TechniqueKind.USE, "aws", "2018", "sns:Subscribe", targets=(TOPIC,)),
    *_one(TechniqueKind.USE, "aws", "2018", "dynamodb:GetItem", targets=(TABLE,)),
    *_one(TechniqueKind.USE, "aws", "2018", "lambda:InvokeFunction", targets=(FUNCTION,)),
    *_one(TechniqueKind.USE, "aws", "2018", "rds-db:connect", targets=(DATABASE,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "kms:CreateGrant", "kms:PutKeyPolicy", targets=(KEY,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "secretsmanager:PutResourcePolicy", targets=(SECRET,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "s3:PutBucketPolicy", "s3:PutBucketAcl", targets=(BUCKET,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "s3:PutObjectAcl", "s3:PutObjectVersionAcl", targets=(BUCKET,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "s3:PutBucketOwnershipControls", targets=(BUCKET,)),
    *_one(
        TechniqueKind.OPEN,
        "aws",
        "2018",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        targets=(BUCKET,),
    ),
    *_one(TechniqueKind.OPEN, "aws", "2018", "secretsmanager:DeleteResourcePolicy", targets=(SECRET,)),
    *_one(
        TechniqueKind.OPEN, "aws", "2018", "ecr:SetRepositoryPolicy", "ecr:PutImage", targets=(REPOSITORY,)
    ),
    *_one(TechniqueKind.OPEN, "aws", "2024", "ssm:PutResourcePolicy", targets=(PARAMETER,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "sqs:AddPermission", "sqs:SetQueueAttributes", targets=(QUEUE,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "sns:AddPermission", "sns:SetTopicAttributes", targets=(TOPIC,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "lambda:AddPermission", targets=(FUNCTION,)),
    *_one(TechniqueKind.OPEN, "aws", "2024", "dynamodb:PutResourcePolicy", targets=(TABLE,)),
    *_one(TechniqueKind.OPEN, "aws", "2018", "rds:ModifyDBInstance", targets=(DATABASE,)),
)
