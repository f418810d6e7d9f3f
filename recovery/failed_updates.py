"""Updates that failed, whose new inputs the state has as if they were done.

The next run then sends nothing and is green (tests/provider_oracle measures it). A refresh of just
these shows it what is to be done again. It cannot for a resource whose read asks nothing: calls of functions,
which the program itself repeats (docs/adr/0025).
"""

from collections.abc import Callable, Sequence

from recovery.engine import Deployment, RecoveryError, Stack, last_line, resources

MARK = b'"initErrors"'  # the engine's, on a resource whose last operation failed half way


def failed_updates(deployment: Deployment) -> Sequence[str]:
    """URNs of the resources whose last update failed, sorted."""
    return sorted(str(r["urn"]) for r in resources(deployment) if r.get("initErrors"))


def refresh_failed_updates(stack: Stack, say: Callable[[str], None]) -> None:
    """Read into the state what the cloud has of them; raises `RecoveryError` where it cannot be read."""
    if stack.is_new:
        return
    file = stack.state_file
    if file and MARK not in file.read_bytes():
        return  # which is so nearly always, and costs no call of the engine
    urns = failed_updates(stack.export())
    if not urns:
        return
    names = ", ".join(urn.rsplit("::", 1)[-1] for urn in urns)
    say(f"{stack.name}: the last update of {names} failed; reading what the cloud has")
    targets = [word for urn in urns for word in ("--target", urn)]
    status, output = stack.pulumi("refresh", "--yes", "--skip-preview", "--suppress-progress", *targets)
    if status:
        raise RecoveryError(f"stack {stack.name}: what failed cannot be refreshed: {last_line(output)}")
