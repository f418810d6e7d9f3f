"""The two services of a cell: tasks, load balancers and alarms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypedDict

from plan.data.alarms import AlarmPlan, Severity
from plan.names import Names
from plan.network.paths import SERVICE
from plan.services.tracing import CollectorPlan, plan_collector
from plan.settings import NOWHERE, Settings

API_STAGE: Final = "v1"
"""The stage of the REST API. A private integration hands the stage on as the first part of the path
(API Gateway developer guide, private integrations for REST APIs, 2026-11), so the origin answers there."""

# Both leave TLS 1.0 and 1.1 out. Our own caller speaks 1.3; the gateway may choose 1.2 with forward secrecy.
TLS_1_3_ONLY: Final = "ELBSecurityPolicy-TLS13-1-3-2021-06"
TLS_1_2_FORWARD_SECRECY: Final = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

_IMAGE: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>[^@]+)@sha256:.+"
)


class CallerCheck(StrEnum):
    """What a balancer does with the certificate of whoever calls it; values are the balancer's own words."""

    VERIFY = "verify"  # it must be of the private CA, or the handshake ends
    HAND_ON = "passthrough"  # the service compares it with the one that it knows


@dataclass(frozen=True, slots=True)
class Route:
    """What callers may ask of a service; all else ends at the balancer with 404."""

    priority: int  # of the listener rule: its identity, never reused for another route
    methods: tuple[str, ...]
    paths: tuple[str, ...]  # `*` stands for any characters


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryPlan:
    """A repository of images that the cell makes: a service's image is in it, or comes into it."""

    name: str
    arn: str
    url: str  # to push to
    untagged_days: int = 30  # parts of images, and what a push left that failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """One ECS service behind one internal load balancer."""

    name: str  # also its segment and its security group; `<name>-alb` is the balancer's group
    image: str | None  # by digest; None before there is one
    repository: RepositoryPlan | None  # made for its images; None where they are in somebody else's
    port: int
    cpu: int  # units, 1024 is one vCPU
    memory: int  # MiB
    tasks_min: int
    tasks_max: int
    host: str  # DNS name of its balancer
    caller_check: CallerCheck
    log_days: int
    routes: tuple[Route, ...]
    tls_policy: str
    architecture: str  # ARM64 or X86_64, as the image was built
    user: str = "10001:10001"  # uid:gid in the image, never root
    cpu_target: int = 60  # percent, average of the service
    requests_target: int = 600  # a minute and task
    health_path: str = "/healthz"
    # Run inside the task without a shell; the image brings it.
    health_command: tuple[str, ...] = ("/app/healthcheck",)
    start_seconds: int = 60  # until a new task must answer
    collector: CollectorPlan | None = None  # beside it, where traces are collected

    @property
    def mutual_tls(self) -> bool:
        """Whether callers must show a certificate of the private CA."""
        return self.caller_check is CallerCheck.VERIFY

    @property
    def repository_arn(self) -> str:
        """The one ECR repository that the service's tasks may pull from."""
        if self.repository is not None:
            return self.repository.arn
        found = _IMAGE.fullmatch(self.image or "")
        if found is None:
            raise ValueError(f"{self.name}: expected an image in ECR by digest, got {self.image!r}")
        return f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlan:
    """A queue and the one of what failed at every try."""

    name: str
    dead_letter_name: str
    visible_again_seconds: int  # longer than one try can take
    tries: int
    waiting: AlarmPlan  # of the queue (AWS/SQS)
    failed: AlarmPlan  # of the other one
    keep_seconds: int = 4 * 86_400
    keep_dead_seconds: int = 14 * 86_400  # the most that SQS keeps; longer than any holiday


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlan:
    """A Lambda function of `functions/` in the network."""

    name: str
    folder: str
    timeout_seconds: int
    # Reserved for it, and the most that run. For two reasons: the authoriser's calls and a rotation of
    # passwords must not wait behind other functions of the account, and moves, offboarding, rekeying and
    # webhooks must not crowd databases and tenants' servers. What is reserved goes off the account's 1,000,
    # and off a new account's 10 nothing can be: function-concurrency in tenants/quotas.yaml.
    at_once: int
    segment: str = "reports"
    group: str = "callouts"  # in the table of paths
    memory_mib: int = 256
    disk_mib: int = 512  # of its own /tmp


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksPlan:
    """Deliveries to tenants' own servers, by a function that has a bounded number of hands."""

    events: QueuePlan
    function: FunctionPlan
    batch: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsPlan(ServicePlan):
    """The report service: a service with a queue of jobs and a bucket for what it works on."""

    jobs: QueuePlan
    backlog_target: int = 10  # waiting jobs a task, for scaling
    webhooks: WebhooksPlan
    bucket: str
    bucket_days: int = 30  # intermediate results; finished reports lie in their tenants' buckets


def plan_monolith(settings: Settings, names: Names) -> ServicePlan:
    """Reports read it at one path over mutual TLS; nothing else is open to them."""
    return ServicePlan(
        **_common(settings),
        **_images(settings, names, "monolith", settings.monolith_image),
        name="monolith",
        host=f"monolith.{internal_domain(names)}",
        caller_check=CallerCheck.VERIFY,
        tls_policy=TLS_1_3_ONLY,
        routes=(Route(10, ("GET",), ("/api/data/reports", "/api/data/reports/*")),),
    )


def plan_reports(settings: Settings, names: Names) -> ReportsPlan:
    """The gateway trusts no private CA, so the report service is reached under a public certificate.

    The gateway's own client certificate is signed by itself: no trust store takes it, so it is passed on.
    """
    paths = ("/reports", f"/{API_STAGE}/reports")  # with the stage and without it
    return ReportsPlan(
        **_common(settings),
        **_images(settings, names, "reports", settings.reports_image),
        name="reports",
        host=f"origin.{settings.domain}",
        caller_check=CallerCheck.HAND_ON,
        tls_policy=TLS_1_2_FORWARD_SECRECY,
        routes=(
            Route(10, ("POST",), paths),
            Route(20, ("GET",), (*paths, *(f"{p}/*" for p in paths))),
        ),
        jobs=QueuePlan(
            name=names.label("queue", "reports"),
            dead_letter_name=names.label("queue", "reports", "dead"),
            visible_again_seconds=300,  # a report takes 30 to 45 seconds
            tries=5,
            waiting=_waiting(900, "a report has waited for a quarter of an hour", Severity.PAGE),
            failed=_failed("a report has failed at every try, and its tenant has been told nothing"),
        ),
        webhooks=_webhooks(names),
        bucket=names.bucket("reports"),
    )


def _webhooks(names: Names) -> WebhooksPlan:
    events = QueuePlan(
        name=names.label("queue", "webhooks"),
        dead_letter_name=names.label("queue", "webhooks", "dead"),
        visible_again_seconds=360,  # six times the function's time (Lambda developer guide, SQS, 2026-11)
        tries=8,
        # Later tries of one broken server may wait for hours; all of them together for longer is ours.
        waiting=_waiting(6 * 3600, "deliveries are not being made", Severity.TICKET),
        failed=_failed("a tenant's server has refused an event at every try"),
    )
    function = FunctionPlan(
        name=names.label("function", "webhooks"), folder="webhook_delivery", timeout_seconds=60, at_once=10
    )
    return WebhooksPlan(events=events, function=function)


def plan_mover(names: Names) -> FunctionPlan:
    return _data_function(names, "mover", "tenant_data")


def plan_leaver(names: Names) -> FunctionPlan:
    return _data_function(names, "leaver", "tenant_leaving")


def _data_function(names: Names, word: str, folder: str) -> FunctionPlan:
    """As much time as Lambda gives, for a large table is read whole, and a disk for a tenant's dump."""
    return FunctionPlan(
        name=names.label("function", word, "worker"),
        folder=folder,
        timeout_seconds=900,
        at_once=5,
        segment="functions",
        group="functions",
        memory_mib=1024,
        disk_mib=10_240,
    )


def plan_rekeyer(names: Names) -> FunctionPlan:
    """As much time as Lambda gives: each object takes an answer of S3 or two."""
    return FunctionPlan(
        name=names.label("function", "rekeyer", "worker"),
        folder="tenant_rekey",
        timeout_seconds=900,
        at_once=5,
        segment="functions",
        group="functions",
    )


def _waiting(seconds: int, why: str, severity: Severity) -> AlarmPlan:
    return AlarmPlan(
        metric="ApproximateAgeOfOldestMessage",
        statistic="Maximum",
        threshold=seconds,
        above=True,
        severity=severity,
        why=why,
        periods=5,
        absent_is_well=True,
    )


def _failed(why: str) -> AlarmPlan:
    return AlarmPlan(
        metric="ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        threshold=0,
        above=True,
        severity=Severity.TICKET,
        why=why,
        periods=1,
        absent_is_well=True,
    )


# Of the bootstrap function's calls that nobody waits for.
BOOTSTRAP_FAILED: Final = _failed(
    "a password was not rotated, or a tenant's protected columns were not looked at, at every try"
)


def bootstrap_dead_letters(names: Names) -> str:
    return names.label("queue", "bootstrap-dead")


def cluster_name(names: Names) -> str:
    return names.label("service", "services")


def service_name(names: Names, service: str) -> str:
    """Of the ECS service and of its tasks' family."""
    return names.label("service", service)


def internal_domain(names: Names) -> str:
    """The private zone of the cell; `internal` is reserved for this (ICANN, 2024)."""
    return f"{names.stack}.tenantry.internal"


class _Common(TypedDict):
    port: int
    cpu: int
    memory: int
    architecture: str
    tasks_min: int
    tasks_max: int
    log_days: int
    collector: CollectorPlan | None


def _common(settings: Settings) -> _Common:
    """What both services take from the settings alike."""
    return {
        "port": SERVICE,
        "cpu": settings.task_cpu,
        "memory": settings.task_memory,
        "architecture": settings.task_architecture,
        "tasks_min": settings.tasks_min,
        "tasks_max": settings.tasks_max,
        "log_days": settings.application_log_days,
        "collector": plan_collector(settings),
    }


class _Images(TypedDict):
    image: str | None
    repository: RepositoryPlan | None


def _images(settings: Settings, names: Names, service: str, image: str) -> _Images:
    """The cell makes a repository for a service that has no image yet, and keeps it for as long as the image
    is in it; an image with any other name is in a repository that somebody else looks after.
    """
    name = names.path("repository", service)
    account, region = settings.account_id, settings.region
    own = RepositoryPlan(
        name=name,
        arn=f"arn:aws:ecr:{region}:{account}:repository/{name}",
        url=f"{account}.dkr.ecr.{region}.amazonaws.com/{name}",
    )
    if image == NOWHERE:
        return {"image": None, "repository": own}
    return {"image": image, "repository": own if image.startswith(f"{own.url}@") else None}


# Of the balancer and its targets (AWS/ApplicationELB), one minute each.
BALANCER_ALARMS: Final[Mapping[str, AlarmPlan]] = {
    "target-errors": AlarmPlan(
        metric="HTTPCode_Target_5XX_Count",
        statistic="Sum",
        threshold=10,  # responses a minute
        above=True,
        severity=Severity.PAGE,
        why="the service answers with errors of its own",
        absent_is_well=True,
    ),
    "balancer-errors": AlarmPlan(
        metric="HTTPCode_ELB_5XX_Count",
        statistic="Sum",
        threshold=10,
        above=True,
        severity=Severity.PAGE,
        why="the balancer finds no task to ask, or none that answers in time",
        absent_is_well=True,
    ),
    "unhealthy": AlarmPlan(
        metric="UnHealthyHostCount",
        statistic="Maximum",
        threshold=0,  # tasks
        above=True,
        severity=Severity.TICKET,
        why="a task has failed its health checks for five minutes",
        periods=5,
        absent_is_well=True,
    ),
    "slow": AlarmPlan(
        metric="TargetResponseTime",
        statistic="Average",
        threshold=5,  # seconds
        above=True,
        severity=Severity.TICKET,
        why="answers take long; the gateway gives up after 29 seconds",
        periods=5,
        absent_is_well=True,
    ),
}
# Of the service (AWS/ECS), one minute each.
TASK_ALARMS: Final[Mapping[str, AlarmPlan]] = {
    "cpu": AlarmPlan(
        metric="CPUUtilization",
        statistic="Average",
        threshold=85,  # percent
        above=True,
        severity=Severity.TICKET,
        why="the service is at its most tasks, or does not scale",
        periods=15,
    ),
    "memory": AlarmPlan(
        metric="MemoryUtilization",
        statistic="Average",
        threshold=85,  # percent
        above=True,
        severity=Severity.TICKET,
        why="tasks are about to be killed for want of memory",
        periods=15,
    ),
}
