"""A refresh believes what it is shown: with other credentials, or a cloud that is late, that is nothing.

So a refresh that would drop more than a few resources from the state is looked at first, and refused.
"""

import re
from typing import Final

from recovery.engine import RecoveryError, Stack, last_line, resources

ACCEPT: Final = "TENANTRY_VANISHED"
FEW: Final = 3
SHARE: Final = 0.05  # of the state


def require_few_vanish(stack: Stack) -> None:
    """Raise `RecoveryError` where a refresh would drop many resources, unless their number is accepted."""
    known = len(resources(stack.export()))
    status, output = stack.pulumi("refresh", "--preview-only", "--suppress-progress")
    if status:
        raise RecoveryError(f"stack {stack.name}: the cloud could not be read: {last_line(output)}")
    found = re.search(r"^\s*- (\d+) to delete", output, re.MULTILINE)
    gone = int(found[1]) if found else 0
    if gone > max(FEW, known * SHARE) and stack.env.get(ACCEPT) != str(gone):
        raise RecoveryError(
            f"stack {stack.name}: a refresh would drop {gone} of {known} resources, since the cloud does not"
            " show them; nothing was changed; other credentials or a cloud that is late look like this: see"
            f" `pulumi refresh --preview-only`, and if they really are gone, set {ACCEPT}={gone}"
        )
