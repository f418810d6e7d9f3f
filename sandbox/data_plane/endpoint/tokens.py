"""STS: GetCallerIdentity and AssumeRole (STS API reference, 2026-11)."""

import datetime
from collections.abc import Mapping
from typing import Any, Final

from sandbox.data_plane.endpoint.access import Asked, Call, tags_of
from sandbox.data_plane.endpoint.errors import AwsError, denied
from sandbox.data_plane.endpoint.sessions import ROLE, Sessions, session_of
from sandbox.json_values import items

SHORTEST: Final = 900  # seconds
DEFAULT: Final = 3600


class Tokens:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def GetCallerIdentity(self, call: Call, _: Mapping[str, Any]) -> dict[str, Any]:
        """Needs no permission."""
        return {"UserId": call.session.user_id, "Account": call.session.account, "Arn": call.session.arn}

    def AssumeRole(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        arn, seconds = str(p["RoleArn"]), int(p.get("DurationSeconds") or DEFAULT)
        rows = call.store.find(ROLE, arn)
        if not rows:  # who asks does not learn whether the role is there
            raise denied(
                "sts",
                f"User: {call.session.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            )
        role, tags = rows[0], {str(t["Key"]): str(t["Value"]) for t in items(p.get("Tags"))}
        known: dict[str, str | list[str]] = {"sts:RoleSessionName": str(p["RoleSessionName"])}
        if p.get("ExternalId"):
            known["sts:ExternalId"] = p["ExternalId"]
        if tags:
            known |= {"aws:TagKeys": sorted(tags), **{f"aws:RequestTag/{k}": v for k, v in tags.items()}}
        for action in ("sts:AssumeRole", *(("sts:TagSession",) if tags else ())):
            trust = str(role.inputs["assumeRolePolicy"])
            call.require(Asked(action, arn, trust, tags_of(role), known, resource_decides=True))
        # From one role to another it is an hour at most.
        longest = min(int(role.outputs.get("maxSessionDuration") or DEFAULT), DEFAULT)
        if not SHORTEST <= seconds <= longest:
            raise AwsError(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        session = session_of(
            role,
            call.session.account,
            str(p["RoleSessionName"]),
            tags=tags,
            policies=(p["Policy"],) if p.get("Policy") else (),
            vpc=call.session.vpc,
        )
        given = self._sessions.give(session, seconds)
        return {
            "Credentials": {
                "AccessKeyId": given.access_key,
                "SecretAccessKey": given.secret_key,
                "SessionToken": given.token,
                "Expiration": datetime.datetime.fromtimestamp(given.ends, datetime.UTC),
            },
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        }
