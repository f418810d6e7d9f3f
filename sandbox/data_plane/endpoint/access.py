"""Authorizes a request: collects the policies from the cloud's rows for `iam.evaluate`."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from iam.documents import Document, parse
from iam.evaluate import Context, Decision, Policies, Principal, Request, decide
from sandbox.cloud.store import Row, Store
from sandbox.data_plane.endpoint.errors import AwsError, denied
from sandbox.data_plane.endpoint.sessions import ROLE, Session
from sandbox.json_values import items, members

ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
POLICY: Final = "aws:iam/policy:Policy"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
ORG_ACCOUNT: Final = "aws:organizations/account:Account"
ORG_UNIT: Final = "aws:organizations/organizationalUnit:OrganizationalUnit"
ORG_POLICY: Final = "aws:organizations/policy:Policy"
ORG_ATTACHMENT: Final = "aws:organizations/policyAttachment:PolicyAttachment"
# Attached to every root, unit and account from the start (Organizations user guide, 2026-11).
FULL_ACCESS: Final = parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')

Judge = Callable[[Request, Policies, bool], Decision]


def judge(request: Request, policies: Policies, resource_decides: bool) -> Decision:
    return decide(request, policies, resource_decides=resource_decides)


@dataclass(frozen=True)
class Asked:
    """One question: may this action be done on this resource?"""

    action: str
    resource: str
    policy: str | None = None  # the resource's own
    tags: Mapping[str, str] = field(default_factory=dict[str, str])  # the resource's
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict[str, str | Sequence[str]])
    resource_decides: bool = False
    forwarded: bool = False  # by another service on the caller's behalf, as to KMS

    @property
    def service(self) -> str:
        return self.action.split(":", maxsplit=1)[0]

    @property
    def owner(self) -> str:
        """Whose the resource's policy is: an object's is that of its bucket."""
        return self.resource.partition("/")[0] if self.service == "s3" else self.resource


class Access:
    """The cloud of one account and Region; `judged` is where a test takes a guard away. With `propagates`
    a policy that is new or has changed is not known to the first request that it concerns.
    """

    def __init__(self, store: Store, judged: Judge = judge, *, propagates: bool = False) -> None:
        self.store, self._judge, self._propagates = store, judged, propagates

    def require(self, session: Session, asked: Asked, tls: str) -> None:
        """Raises `AwsError` in AWS's words where the caller may not."""
        principal = Principal("AWS", session.role_arn, session.account, session.arn)
        request = Request(asked.action, asked.resource, principal, self._context(session, asked, tls))
        role, texts = self._role(session), self._texts(self._role(session), asked)
        decision = self._judge(request, self._policies(session, asked, role, texts), asked.resource_decides)
        if decision.allowed and self._propagates and (new := self.store.learn_policies(texts)):
            before = {owner: new.get(owner, text) for owner, text in texts.items()}
            known = {owner: text for owner, text in before.items() if text is not None}
            earlier = self._policies(session, asked, role, known)
            decision = self._judge(request, earlier, asked.resource_decides)
        if not decision.allowed:
            where = f" on resource: {asked.resource}" if asked.resource != "*" else ""
            raise denied(
                asked.service,
                f"User: {session.arn} is not authorized to perform: {asked.action}{where}"
                f" {decision.why(asked.action)}",
            )

    def assumable(self, role: Row, service: str, context: Mapping[str, str]) -> bool:
        """Whether a service, such as Lambda, may take on a role."""
        request = Request(
            "sts:AssumeRole", str(role.outputs["arn"]), Principal("Service", service), _context_of(context)
        )
        trust = Policies(resource=parse(str(role.inputs["assumeRolePolicy"])))
        return self._judge(request, trust, True).allowed

    # -- what is known about a request

    def _context(self, session: Session, asked: Asked, tls: str) -> Context:
        now = self.store.now()
        role = self.store.get(ROLE, session.role, "-")
        tags = {**members(role.outputs.get("tagsAll") if role else None), **session.tags}
        known: dict[str, str | Sequence[str]] = {
            "aws:PrincipalArn": session.role_arn,
            "aws:PrincipalAccount": session.account,
            "aws:PrincipalType": "AssumedRole",
            "aws:PrincipalIsAWSService": "false",
            "aws:userid": session.user_id,
            "aws:RequestedRegion": self.store.region,
            "aws:ResourceAccount": session.account,
            "aws:SecureTransport": str(bool(tls)).lower(),
            "aws:ViaAWSService": str(asked.forwarded).lower(),
            "aws:CurrentTime": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "aws:EpochTime": str(int(now.timestamp())),
            **{f"aws:PrincipalTag/{k}": v for k, v in tags.items()},
            **{f"aws:ResourceTag/{k}": v for k, v in asked.tags.items()},
            **session.context,
            **asked.context,
        }
        if tls and asked.service == "s3":
            known["s3:TlsVersion"] = tls
        if session.vpc and not asked.forwarded:
            known["aws:SourceVpc"] = session.vpc
        return _context_of(known)

    # -- the policies

    def _role(self, session: Session) -> Row:
        role = self.store.get(ROLE, session.role, "-")
        if role is None:
            raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.")
        return role

    def _texts(self, role: Row, asked: Asked) -> dict[str, str]:
        """The policies that allow: those of the role and that of the resource, by what they belong to."""
        own = {} if asked.policy is None else {asked.owner: asked.policy}
        return self._of_role(role) | own

    def _policies(self, session: Session, asked: Asked, role: Row, texts: Mapping[str, str]) -> Policies:
        sessions = [parse(text) for text in session.policies]
        return Policies(
            identity=[parse(text) for owner, text in texts.items() if owner != asked.owner],
            resource=parse(texts[asked.owner]) if texts.get(asked.owner) else None,
            boundary=self._boundary(role),
            session=tuple(s for d in sessions for s in d) if sessions else None,
            endpoint=None if asked.forwarded else self._endpoint(session, asked.service),
            scps=self.scps(session.account),
        )

    def identity(self, role: Row) -> list[Document]:
        """A role's inline policies and those attached to it that are this account's own."""
        return [parse(text) for text in self._of_role(role).values()]

    def _of_role(self, role: Row) -> dict[str, str]:
        """The same as texts, by what gives them to the role."""
        name = str(role.outputs["name"])
        found = {
            f"{ROLE_POLICY} {r.id}": str(r.inputs["policy"])
            for r in self.store.all(ROLE_POLICY)
            if r.inputs.get("role") in (name, role.id)
        }
        own = enumerate(items(role.inputs.get("inlinePolicies")))
        found |= {f"{ROLE} {name} {n}": str(p["policy"]) for n, p in own if p.get("policy")}
        attached = [
            str(r.inputs["policyArn"])
            for r in self.store.all(ATTACHMENT)
            if r.inputs.get("role") in (name, role.id)
        ]
        attached += role.inputs.get("managedPolicyArns") or []
        found |= {f"{name} {arn}": text for arn in attached for text in self._managed([arn])}
        return found

    def _boundary(self, role: Row) -> Document | None:
        arn = role.inputs.get("permissionsBoundary")
        if not arn:
            return None
        # A boundary that is not there allows nothing.
        return tuple(s for text in self._managed([arn]) for s in parse(text))

    def _managed(self, arns: Iterable[str]) -> list[str]:
        rows = [row for arn in arns for row in self.store.find(POLICY, arn)]
        return [str(row.inputs["policy"]) for row in rows]

    def _endpoint(self, session: Session, service: str) -> Document | None:
        """The policy of the VPC endpoint that the call passes, where its network has one for the service."""
        if not session.vpc:
            return None
        wanted = f"com.amazonaws.{self.store.region}.{service}"
        for row in self.store.all(ENDPOINT):
            if row.inputs.get("vpcId") == session.vpc and row.inputs.get("serviceName") == wanted:
                return parse(str(row.inputs["policy"])) if row.inputs.get("policy") else FULL_ACCESS
        return None

    def scps(self, account: str) -> list[list[Document]]:
        """What the organization attaches, from its root down to the account; none without one."""
        units = {r.id: r for kind in (ORG_ACCOUNT, ORG_UNIT) for r in self.store.in_all_accounts(kind)}
        unit = units.get(account)
        if unit is None:
            return []
        way = [account]
        while unit is not None:
            above = str(unit.inputs.get("parentId") or "")
            way.append(above)
            unit = units.get(above)
        policies = {r.id: r for r in self.store.in_all_accounts(ORG_POLICY)}
        attached: dict[str, list[Document]] = {}
        for row in self.store.in_all_accounts(ORG_ATTACHMENT):
            policy = policies.get(str(row.inputs["policyId"]))
            if policy and policy.inputs.get("type", "SERVICE_CONTROL_POLICY") == "SERVICE_CONTROL_POLICY":
                attached.setdefault(str(row.inputs["targetId"]), []).append(
                    parse(str(policy.inputs["content"]))
                )
        return [[FULL_ACCESS, *attached.get(target, [])] for target in reversed(way) if target]


def _context_of(known: Mapping[str, str | Sequence[str]]) -> Context:
    return {k: (v,) if isinstance(v, str) else tuple(v) for k, v in known.items()}


def tags_of(row: Row) -> dict[str, str]:
    """A resource's tags as IAM sees them."""
    return {k: str(v) for k, v in members(row.outputs.get("tagsAll")).items()}


@dataclass(frozen=True)
class Call:
    """One request to one operation, and what is needed to answer it."""

    session: Session
    access: Access
    tls: str = ""  # version of the connection's TLS

    @property
    def store(self) -> Store:
        return self.access.store

    def require(self, asked: Asked) -> None:
        self.access.require(self.session, asked, self.tls)


def policy_row(store: Store, kind: str, key: str, values: Iterable[str]) -> str | None:
    """The policy that another resource of the cloud puts on this one."""
    wanted = set(values)
    found = [r for r in store.all(kind) if r.inputs.get(key) in wanted]
    return _text(found[0].inputs.get("policy")) if found else None


def _text(policy: Any) -> str | None:
    if policy is None:
        return None
    return policy if isinstance(policy, str) else json.dumps(policy)
