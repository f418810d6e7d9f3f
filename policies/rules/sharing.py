"""Rules on resources whose purpose is to share with other accounts."""

from collections.abc import Mapping
from typing import Any, Final

from policies.checks import any_of, is_false, listed, one_of, present, value, when
from policies.control_ids import ACCESS, NETWORK
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail
from policies.rule import Check, Ref, Rule
from policies.rules.example_builders import BUCKET, BUCKET_TYPE, example

PERMISSION: Final = "aws:lambda/permission:Permission"
ACL: Final = "aws:s3/bucketAcl:BucketAcl"
# Copies of data, and what says who else may have them: type → (input, what it may not say).
COPIES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "aws:rds/snapshot:Snapshot": ("sharedAccounts", ("all",)),
    "aws:rds/snapshotCopy:SnapshotCopy": ("sharedAccounts", ("all",)),
    "aws:rds/clusterSnapshot:ClusterSnapshot": ("sharedAccounts", ("all",)),
    "aws:ec2/amiLaunchPermission:AmiLaunchPermission": ("group", ("all",)),
}
SHARE: Final = "aws:ram/resourceShare:ResourceShare"
_SERVICE: Final = value("principal", lambda p: str(p).endswith(".amazonaws.com"), "a service")
_NOT_ALL: Final = value("principal", lambda p: p != "*", "an account, a role or a service")
_WHOSE: Final[Check] = any_of(
    present("sourceAccount"),
    # an ARN of S3 or of an API names no account, or not always; S3's buckets can pass to others
    value("sourceArn", lambda a: bool(str(a).split(":")[4:5] != [""]), "the ARN of something of an account"),
    present("principalOrgId"),
)


def _permission(resource: Resource, plan: Plan) -> Verdict:
    """Everybody, or a service for anybody's sake, may not call a function."""
    if resource.get("functionUrlAuthType") == "NONE":
        return fail("functionUrlAuthType is NONE: the internet may call it")
    return when(_NOT_ALL, when(_SERVICE, _WHOSE), _NOT_ALL)(resource, plan)


def _acl(resource: Resource, plan: Plan) -> Verdict:
    path = "acl" if resource.type == ACL or resource.get("acl") is not None else ""
    if resource.get("accessControlPolicy") is not None or resource.get("grants"):
        return fail("it grants access by an ACL")
    return one_of(path, "private")(resource, plan) if path else PASS


def _copy(resource: Resource, _plan: Plan) -> Verdict:
    path, strangers = COPIES[resource.type]
    accounts = listed(resource.get(path, ()))
    if UNKNOWN in accounts:
        return cannot_tell(f"{path} is not known before the update")
    named = [who for who in accounts if who in strangers]
    return fail(f"{path} has {named[0]}: everybody may have it") if named else PASS


_CALL: Final[Mapping[str, Any]] = {
    "function": "example",
    "action": "lambda:InvokeFunction",
    "principal": "secretsmanager.amazonaws.com",
}
_SNAPSHOT: Final = "aws:rds/snapshot:Snapshot"
_SNAPSHOT_INPUTS: Final = {"dbInstanceIdentifier": "example", "dbSnapshotIdentifier": "example"}

RULES: Final = (
    Rule(
        id="function-called-by-somebody",
        title="Functions may be invoked on behalf of this account only",
        types=(PERMISSION,),
        check=_permission,
        remedy="Name the caller, and whom a service calls for, in `sourceAccount` or `sourceArn`.",
        controls=ACCESS,
        good=example(PERMISSION, {**_CALL, "sourceAccount": "111122223333"}),
        bad=example(PERMISSION, _CALL),
    ),
    Rule(
        id="bucket-acl-private",
        title="No bucket is opened by an ACL",
        types=(ACL, BUCKET_TYPE),
        check=_acl,
        remedy="Leave ACLs out; a policy says who may do what.",
        controls=NETWORK,
        good=example(ACL, {"bucket": Ref("bucket", "id"), "acl": "private"}, BUCKET),
        bad=example(ACL, {"bucket": Ref("bucket", "id"), "acl": "public-read"}, BUCKET),
    ),
    Rule(
        id="copies-not-for-everybody",
        title="Snapshots and images are never public",
        types=tuple(COPIES),
        check=_copy,
        remedy="Name the accounts that may have it, and share its key with them.",
        controls=NETWORK,
        good=example(_SNAPSHOT, {**_SNAPSHOT_INPUTS, "sharedAccounts": ["111122223333"]}),
        bad=example(_SNAPSHOT, {**_SNAPSHOT_INPUTS, "sharedAccounts": ["all"]}),
    ),
    Rule(
        id="shares-stay-inside",
        title="Resource shares stay within the organization",
        types=(SHARE,),
        check=is_false("allowExternalPrincipals", default=True),
        remedy="Set `allowExternalPrincipals` to false.",
        controls=NETWORK,
        good=example(SHARE, {"name": "example", "allowExternalPrincipals": False}),
        bad=example(SHARE, {"name": "example"}),
    ),
)
