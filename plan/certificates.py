"""The private CA's certificates: who gets one, for what, for how long."""

from dataclasses import dataclass
from enum import StrEnum

from plan.services import ServicePlan

HOUR = 1
DAY = 24 * HOUR
YEAR = 365 * DAY


class Use(StrEnum):
    SERVER = "server_auth"
    CLIENT = "client_auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePlan:
    """One certificate below the issuing CA; a new one is made `renew_hours` before the old one ends."""

    name: str
    common_name: str
    dns_names: tuple[str, ...]
    use: Use
    valid_hours: int = 90 * DAY
    renew_hours: int = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class CaPlan:
    """A root that only signs the issuing CA, and the issuing CA's leaves."""

    organization: str
    root_hours: int = 10 * YEAR
    issuing_hours: int = 2 * YEAR
    issuing_renew_hours: int = YEAR
    leaves: tuple[CertificatePlan, ...]

    def leaf(self, name: str) -> CertificatePlan:
        return next(c for c in self.leaves if c.name == name)


def plan_ca(monolith: ServicePlan, reports: ServicePlan, internal_domain: str) -> CaPlan:
    """Both services serve TLS; the report service also shows who it is to the monolith."""
    caller = f"{reports.name}.{internal_domain}"
    return CaPlan(
        organization="tenantry",
        leaves=(
            CertificatePlan(
                name="monolith-server",
                common_name=monolith.host,
                dns_names=(monolith.host,),
                use=Use.SERVER,
            ),
            CertificatePlan(
                name="reports-server", common_name=reports.host, dns_names=(reports.host,), use=Use.SERVER
            ),
            CertificatePlan(name="reports-client", common_name=caller, dns_names=(caller,), use=Use.CLIENT),
        ),
    )
