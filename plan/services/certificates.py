"""The certificates of the private CA: who gets one, for what, for how long."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from plan.services.services import ServicePlan
from plan.settings import Settings

HOUR: Final = 1
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY
WARN_DAYS: Final = 30  # a certificate that ends sooner than this is named in every preview
WARN_ROOT_DAYS: Final = 365  # a new root takes weeks to be trusted everywhere
COMMON_NAME_LIMIT: Final = 64  # RFC 5280, ub-common-name

CA_CURVE: Final = "P384"
LEAF_CURVE: Final = "P256"  # a third of the work of a handshake; its certificate lives for months


class Use(StrEnum):
    SERVER = "server_auth"
    CLIENT = "client_auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePlan:
    """One certificate below the issuing CA; a new one is made `renew_hours` before the old one ends."""

    name: str
    dns_names: tuple[str, ...]
    use: Use
    valid_hours: int = 90 * DAY
    renew_hours: int = 45 * DAY

    @property
    def common_name(self) -> str:
        """The first DNS name where it fits; who checks a name checks the subject alternative names."""
        host = self.dns_names[0]
        return host if len(host) <= COMMON_NAME_LIMIT else self.name

    @property
    def usages(self) -> tuple[str, ...]:
        """Of an ECDSA key: it signs the handshake and encrypts nothing."""
        return ("digital_signature", self.use)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaPlan:
    """A root that only signs the issuing CA, and the issuing CA's leaves.

    The issuing certificate is renewed while it still outlives any leaf that it signs. A root is never
    renewed: a new one is trusted beside it, then signs instead of it, then the old one is let go
    (docs/runbooks/private-ca.md).
    """

    organization: str
    kind: str  # who signs: tls (keys of this program's) or acm-pca (AWS Private CA)
    roots: tuple[str, ...]  # trusted, oldest first
    signer: str  # the one of them whose CA signs
    generation: int  # of the leaves' keys
    revoked: tuple[str, ...]  # serial numbers, hexadecimal
    root_hours: int = 10 * YEAR
    issuing_hours: int = 2 * YEAR
    issuing_renew_hours: int = YEAR
    leaves: tuple[CertificatePlan, ...]

    def leaf(self, name: str) -> CertificatePlan:
        return next(c for c in self.leaves if c.name == name)


def plan_ca(settings: Settings, monolith: ServicePlan, reports: ServicePlan, internal_domain: str) -> CaPlan:
    """Both services serve TLS; the report service also shows who it is to the monolith."""
    return CaPlan(
        organization="tenantry",
        kind=settings.private_ca,
        roots=settings.ca_roots,
        signer=settings.ca_signer,
        generation=settings.ca_leaves,
        revoked=settings.ca_revoked,
        leaves=(
            CertificatePlan(name="monolith-server", dns_names=(monolith.host,), use=Use.SERVER),
            CertificatePlan(name="reports-server", dns_names=(reports.host,), use=Use.SERVER),
            CertificatePlan(
                name="reports-client", dns_names=(f"{reports.name}.{internal_domain}",), use=Use.CLIENT
            ),
        ),
    )
