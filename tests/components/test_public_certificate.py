"""A public certificate is known only once it is valid."""

from components.edge.public_certificate import PublicCertificate, PublicCertificateArgs
from devtools.mocks import Recording
from tests.components.parts import record


def made() -> Recording:
    args = PublicCertificateArgs(host="api.pay.example", zone_id="Z1")
    return record(lambda: PublicCertificate("api", args))


def test_dns_proves_whose_name_it_is() -> None:
    recording = made()
    certificate = recording.one("acm/certificate:Certificate", "api-certificate").inputs
    assert certificate["domainName"] == "api.pay.example"
    assert certificate["validationMethod"] == "DNS"
    record_ = recording.one("route53/record:Record", "api-proof").inputs
    assert (record_["zoneId"], record_["name"], record_["records"]) == ("Z1", "_api-certificate", ["v"])


def test_who_takes_the_arn_waits_for_the_validation() -> None:
    validation = made().one("certificateValidation:CertificateValidation", "api-validation")
    assert any("route53/record:Record::api-proof" in d for d in validation.dependencies)
