"""The ARNs that AWS gives late, in the place of the placeholders that mocks give.

A type whose form is not in the table keeps its placeholder, which tests of policies refuse.
"""

import re
from collections.abc import Mapping
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from devtools.mocks import ACCOUNT, REGION, Recording, Registered
from tests.cells import settings_of
from tests.program.cell import deployed

# How an ARN of a type reads (service authorization reference, 2026-11).
FORMS: Mapping[str, str] = {
    "aws:cognito/userPool:UserPool": "arn:aws:cognito-idp:{region}:{account}:userpool/{region}_{name}",
    "aws:cloudwatch/logGroup:LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "arn:aws:ecr:{region}:{account}:repository/{name}",
    "aws:iam/policy:Policy": "arn:aws:iam::{account}:policy/{name}",
    "aws:iam/role:Role": "arn:aws:iam::{account}:role/{name}",
    "aws:kms/key:Key": "arn:aws:kms:{region}:{account}:key/{uuid}",
    "aws:lambda/function:Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::{name}",
    "aws:secretsmanager/secret:Secret": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-a1B2c3",
    "aws:sns/topic:Topic": "arn:aws:sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "aws:ssm/parameter:Parameter": "arn:aws:ssm:{region}:{account}:parameter{name}",
    "aws:cloudfront/distribution:Distribution": "arn:aws:cloudfront::{account}:distribution/{name}",
}


def arn(resource: Registered, stack: str) -> str:
    form = FORMS.get(resource.type, "")
    assert form, f"a policy names {resource.type} {resource.name}: add the form of its ARN to FORMS"
    name = resource.inputs.get("name") or resource.inputs.get("bucket") or resource.name
    settings = settings_of(stack)
    uuid = uuid5(NAMESPACE_URL, resource.name)
    return form.format(region=settings.region, account=settings.account_id, name=name, uuid=uuid)


@cache
def _named(stack: str) -> Mapping[str, Registered]:
    return named(deployed(stack))


def named(recording: Recording) -> Mapping[str, Registered]:
    """What policies of a run may name, by its name in the program."""
    return {r.name: r for r in recording.resources if r.type in FORMS}


def real(text: str, stack: str, by_name: Mapping[str, Registered] | None = None) -> str:
    """The text with ARNs of mocks as AWS would have them, as far as the table goes.

    `by_name`: what is `named` in another run than that of the committed stack.
    """
    by_name = _named(stack) if by_name is None else by_name
    mocked = re.compile(rf"arn:aws:mock:{REGION}:{ACCOUNT}:([A-Za-z0-9_-]+)")
    text = mocked.sub(lambda m: arn(by_name[m[1]], stack) if m[1] in by_name else m[0], text)
    text = text.replace(f":{REGION}:{ACCOUNT}:", f":{REGION}:{settings_of(stack).account_id}:")
    ids = {f"{n}-id": r for n, r in by_name.items() if r.type == "aws:secretsmanager/secret:Secret"}
    # a secret's id is its ARN
    return re.sub(
        '"([A-Za-z0-9_-]+-id)"', lambda i: f'"{arn(ids[i[1]], stack)}"' if i[1] in ids else i[0], text
    )
