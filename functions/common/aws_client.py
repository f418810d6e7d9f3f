"""Clients of AWS's APIs for lifecycle work, which begins a moment after its permissions were given.

The engine makes a tenant's keys, secrets and policies, and calls the tenant's functions at once. What was
allowed a moment ago may still be refused somewhere: IAM and the policies of keys and secrets are eventually
consistent (IAM user guide, "Changes that I make are not always immediately visible"; KMS developer guide,
"Eventual consistency", 2026-11). So a refusal counts only once it was heard for half a minute.
Assumed (`how-long-new-policies-are-unknown`): that this is long enough.
"""

import importlib
from typing import Any, Final

# AccessDenied is S3's and STS's, AccessDeniedException all others'; to a HEAD S3 says nothing but the status.
REFUSALS: Final = frozenset({"AccessDenied", "AccessDeniedException", "403"})
WAITS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between tries, half a minute in all


def aws_client(service: str, **config: Any) -> Any:
    """A client by boto3, which the Lambda runtime has; `config` as for `botocore.config.Config`."""
    given = importlib.import_module("botocore.config").Config(**config)
    client = importlib.import_module("boto3").client(service, config=given)
    client.meta.events.register("needs-retry", wait_for_permission)
    return client


def wait_for_permission(
    response: tuple[Any, dict[str, Any]] | None = None, attempts: int = 1, **_: object
) -> float | None:
    """The answer to botocore's event `needs-retry`: seconds to wait before another try, None for no other."""
    code = response[1].get("Error", {}).get("Code") if response else None
    return WAITS[attempts - 1] if code in REFUSALS and attempts <= len(WAITS) else None
