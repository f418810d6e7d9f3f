"""The edge of a cell: the API's domain, usage plans and limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from plan.data.alarms import AlarmPlan, Severity
from plan.names import Names
from plan.services.services import API_STAGE, FunctionPlan
from plan.settings import Settings
from tenants.models import ServicePlan as UsagePlan

_WINDOW: Final = 300  # seconds over which the firewall counts
_SLACK: Final = 2  # the firewall stops what usage plans, which are best effort, let through
# Rules of the firewall by their priorities, which are for ever, in the order that they look (WAF developer
# guide, 2026-11): AWS's own groups, and our limits.
MANAGED_RULES: Final[Mapping[int, str]] = {
    10: "AWSManagedRulesAmazonIpReputationList",
    20: "AWSManagedRulesCommonRuleSet",
    30: "AWSManagedRulesKnownBadInputsRuleSet",
    40: "AWSManagedRulesSQLiRuleSet",
}
RATE_RULES: Final[Mapping[int, str]] = {50: "rate-by-key", 60: "rate-without-key"}
_WAF_LIMITS: Final = (10, 2_000_000_000)  # of a rate rule (WAF API reference, RateBasedStatement, 2026-11)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerPlan:
    """Somebody else who issues access tokens, and what these must say."""

    issuer: str
    audience: str
    tenant_claim: str
    function: FunctionPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePlan:
    """One REST API on one host. Rates are requests a second, firewall limits requests in five minutes."""

    name: str
    host: str
    stage: str
    rate: int
    burst: int
    key_limit: int  # with one API key
    address_limit: int  # from one address without an API key
    window_seconds: int
    web_acl: str
    waf_log_group: str
    access_log_group: str
    token_host: str  # first label of the token endpoint of the user pool, one name space a Region
    issuer: IssuerPlan | None  # of access tokens; None for the cell's own user pool
    usage_plans: tuple[UsagePlan, ...]


def plan_edge(settings: Settings, names: Names, usage_plans: Iterable[UsagePlan]) -> EdgePlan:
    """The stage lets through some times what the largest service plan may use; keys get their plan's."""
    plans = tuple(sorted(usage_plans, key=lambda p: p.id))
    rate = max((p.rate_limit for p in plans), default=1)
    burst = max((p.burst_limit for p in plans), default=1)
    return EdgePlan(
        name=names.label("any", "api"),
        host=f"api.{settings.domain}",
        stage=API_STAGE,
        rate=int(4 * rate),
        burst=4 * burst,
        key_limit=_within(_SLACK * rate * _WINDOW),
        address_limit=100,  # somebody who has no key has nothing to ask
        window_seconds=_WINDOW,
        web_acl=names.label("web-acl", "api"),
        waf_log_group=f"aws-waf-logs-{names.label('any', 'api')}",  # WAF accepts only this beginning
        access_log_group=f"/{names.path('log-group', 'api', 'access')}",
        token_host=f"{names.label('any', 'auth')}-{settings.account_id}",
        issuer=_issuer(settings, names),
        usage_plans=plans,
    )


def _issuer(settings: Settings, names: Names) -> IssuerPlan | None:
    if settings.jwt_issuer == "cognito":
        return None
    return IssuerPlan(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        tenant_claim=settings.jwt_tenant_claim,
        function=FunctionPlan(
            name=names.label("function", "authoriser"),
            folder="token_authoriser",
            timeout_seconds=15,
            at_once=50,
        ),
    )


def _within(limit: float) -> int:
    low, high = _WAF_LIMITS
    return int(min(max(limit, low), high))


# Of the stage (AWS/ApiGateway), one minute each.
EDGE_ALARMS: Final[Mapping[str, AlarmPlan]] = {
    "errors": AlarmPlan(
        metric="5XXError",
        statistic="Sum",
        threshold=10,  # responses a minute
        above=True,
        severity=Severity.PAGE,
        why="tenants get errors that are not theirs",
        absent_is_well=True,
    ),
    "latency": AlarmPlan(
        metric="Latency",
        statistic="Average",
        threshold=5_000,  # ms
        above=True,
        severity=Severity.TICKET,
        why="answers take long; the gateway gives up after 29 seconds",
        periods=5,
        absent_is_well=True,
    ),
}
