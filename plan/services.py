"""The two services of a cell, as Fargate sees them."""

from dataclasses import dataclass

from plan.names import Names
from plan.network import SERVICE
from plan.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """One ECS service behind one internal load balancer."""

    name: str  # also its segment and its security group; `<name>-alb` is the balancer's group
    image: str  # by digest
    port: int
    cpu: int  # units, 1024 is one vCPU
    memory: int  # MiB
    tasks_min: int
    tasks_max: int
    host: str  # DNS name of its balancer
    mutual_tls: bool  # callers show a certificate of the private CA
    log_days: int


def plan_monolith(settings: Settings, names: Names) -> ServicePlan:
    return _service(settings, "monolith", settings.monolith_image, f"monolith.{internal_domain(names)}", True)


def plan_reports(settings: Settings) -> ServicePlan:
    """The gateway trusts no private CA, so the report service is reached under a public certificate."""
    return _service(settings, "reports", settings.reports_image, f"origin.{settings.domain}", False)


def internal_domain(names: Names) -> str:
    """The private zone of the cell; `internal` is reserved for this (ICANN, 2024)."""
    return f"{names.stack}.tenantry.internal"


def _service(settings: Settings, name: str, image: str, host: str, mutual_tls: bool) -> ServicePlan:
    return ServicePlan(
        name=name,
        image=image,
        port=SERVICE,
        cpu=settings.task_cpu,
        memory=settings.task_memory,
        tasks_min=settings.tasks_min,
        tasks_max=settings.tasks_max,
        host=host,
        mutual_tls=mutual_tls,
        log_days=settings.application_log_days,
    )
