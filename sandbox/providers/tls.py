"""The tls plugin: real keys, requests and certificates, by `cryptography`."""

import datetime
import ipaddress
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.json_values import items, members
from sandbox.providers.plugin import Values, serve
from sandbox.providers.stateless import Kind, Stateless

CURVES: Final[Mapping[str, Callable[[], ec.EllipticCurve]]] = {
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
SUBJECT: Final = {
    "commonName": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "country": NameOID.COUNTRY_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "postalCode": NameOID.POSTAL_CODE,
    "serialNumber": NameOID.SERIAL_NUMBER,
}
KEY_USES: Final = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
EXTENDED_USES: Final = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}
PEM: Final = serialization.Encoding.PEM


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


# -- keys


def _new_key(inputs: Values) -> Any:
    match inputs["algorithm"]:
        case "RSA":
            return rsa.generate_private_key(public_exponent=65537, key_size=inputs["rsaBits"])
        case "ECDSA":
            return ec.generate_private_key(CURVES[inputs["ecdsaCurve"]]())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def _key_problems(inputs: Values) -> list[tuple[str, str]]:
    allowed = {"algorithm": ("RSA", "ECDSA", "ED25519"), "ecdsaCurve": tuple(CURVES)}
    return [
        (k, f"expected one of {', '.join(values)}, got {inputs.get(k)}")
        for k, values in allowed.items()
        if k == "algorithm" or k in inputs
        if inputs.get(k) not in values
    ]


def _key(inputs: Values) -> dict[str, Any]:
    key, plain = _new_key(inputs), serialization.NoEncryption()
    # The provider writes each algorithm in its traditional form, and Ed25519, which has none, in PKCS#8.
    is_modern = inputs["algorithm"] == "ED25519"
    classic = (
        serialization.PrivateFormat.PKCS8 if is_modern else serialization.PrivateFormat.TraditionalOpenSSL
    )
    public = key.public_key()
    openssh = serialization.PrivateFormat.OpenSSH
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return {
        "privateKeyPem": key.private_bytes(PEM, classic, plain).decode(),
        "privateKeyPemPkcs8": key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain).decode(),
        "privateKeyOpenssh": key.private_bytes(PEM, openssh, plain).decode(),
        "publicKeyPem": public.public_bytes(PEM, spki).decode(),
        "publicKeyOpenssh": public.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        ).decode()
        + "\n",
    }


def _load(pem: str) -> Any:
    return serialization.load_pem_private_key(pem.encode(), None)


def _digest(key: Any) -> hashes.SHA256 | hashes.SHA384 | None:
    """What goes with the key; Ed25519 brings its own."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    large = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256
    return hashes.SHA384() if large else hashes.SHA256()


def _algorithm(key: Any) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "ED25519"


# -- names


def _subject(inputs: Values) -> x509.Name:
    given = members(inputs.get("subject"))
    return x509.Name([x509.NameAttribute(oid, given[k]) for k, oid in SUBJECT.items() if given.get(k)])


def _alternatives(inputs: Values) -> x509.SubjectAlternativeName | None:
    names: list[x509.GeneralName] = [x509.DNSName(n) for n in items(inputs.get("dnsNames"))]
    names += [x509.IPAddress(ipaddress.ip_address(a)) for a in items(inputs.get("ipAddresses"))]
    names += [x509.UniformResourceIdentifier(u) for u in items(inputs.get("uris"))]
    return x509.SubjectAlternativeName(names) if names else None


def _request(inputs: Values) -> dict[str, Any]:
    key = _load(inputs["privateKeyPem"])
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(inputs))
    alternatives = _alternatives(inputs)
    if alternatives:
        builder = builder.add_extension(alternatives, critical=False)
    signed = builder.sign(key, _digest(key))
    return {"certRequestPem": signed.public_bytes(PEM).decode(), "keyAlgorithm": _algorithm(key)}


# -- certificates


def _certificate(
    inputs: Values, subject: x509.Name, issuer: x509.Name, public: Any, signer: Any
) -> x509.CertificateBuilder:
    begins = _now()
    ends = begins + datetime.timedelta(hours=inputs["validityPeriodHours"])
    is_ca = bool(inputs.get("isCaCertificate"))
    length = inputs.get("maxPathLength") if is_ca else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(is_ca, length), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if is_ca or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return _with_uses(builder, inputs["allowedUses"])


def _with_uses(builder: x509.CertificateBuilder, uses: list[str]) -> x509.CertificateBuilder:
    plain = {KEY_USES[u] for u in uses if u in KEY_USES}
    if plain:
        flags = {flag: flag in plain for flag in KEY_USES.values()}
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    extended = [EXTENDED_USES[u] for u in uses if u in EXTENDED_USES]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    return builder


def _issued(builder: x509.CertificateBuilder, signer: Any, inputs: Values) -> dict[str, Any]:
    signed = builder.sign(signer, _digest(signer))
    outputs = {
        "certPem": signed.public_bytes(PEM).decode(),
        "validityStartTime": signed.not_valid_before_utc.isoformat(),
        "validityEndTime": signed.not_valid_after_utc.isoformat(),
    }
    return outputs | {"readyForRenewal": _is_due({**inputs, **outputs})}


def _self_signed(inputs: Values) -> dict[str, Any]:
    key, subject = _load(inputs["privateKeyPem"]), _subject(inputs)
    builder = _certificate(inputs, subject, subject, key.public_key(), key)
    alternatives = _alternatives(inputs)
    if alternatives:
        builder = builder.add_extension(alternatives, critical=False)
    return _issued(builder, key, inputs) | {"keyAlgorithm": _algorithm(key)}


def _locally_signed(inputs: Values) -> dict[str, Any]:
    request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
    key = _load(inputs["caPrivateKeyPem"])
    builder = _certificate(inputs, request.subject, authority.subject, request.public_key(), key)
    for extension in request.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return _issued(builder, key, inputs) | {"caKeyAlgorithm": _algorithm(key)}


def _is_due(state: Values) -> bool:
    """Whether the time for early renewal has come; the provider then plans a new certificate."""
    end = state.get("validityEndTime")
    if not end:
        return False
    early = datetime.timedelta(hours=state.get("earlyRenewalHours") or 0)
    return datetime.datetime.fromisoformat(end) - early <= _now()


def _use_problems(inputs: Values) -> list[tuple[str, str]]:
    known = KEY_USES.keys() | EXTENDED_USES.keys()
    given = inputs.get("allowedUses")
    uses = cast("list[Any]", given) if isinstance(given, list) else []
    wrong = [u for u in uses if u not in known and isinstance(u, str)]
    found = [("allowedUses", f"{u} is not a use; the uses are {', '.join(sorted(known))}") for u in wrong]
    return found + [
        (k, "Missing required argument") for k in ("validityPeriodHours",) if inputs.get(k, 1) is None
    ]


CERTIFICATE_OUTPUTS: Final = ("certPem", "validityStartTime", "validityEndTime", "readyForRenewal")
CERTIFICATE_DEFAULTS: Final = {"earlyRenewalHours": 0, "isCaCertificate": False, "setSubjectKeyId": False}
KINDS: Final = {
    "tls:index/privateKey:PrivateKey": Kind(
        make=_key,
        outputs=(
            "privateKeyPem",
            "privateKeyPemPkcs8",
            "privateKeyOpenssh",
            "publicKeyPem",
            "publicKeyOpenssh",
        ),
        defaults={"rsaBits": 2048, "ecdsaCurve": "P256"},
        problems=_key_problems,
    ),
    "tls:index/certRequest:CertRequest": Kind(make=_request, outputs=("certRequestPem", "keyAlgorithm")),
    "tls:index/selfSignedCert:SelfSignedCert": Kind(
        make=_self_signed,
        outputs=(*CERTIFICATE_OUTPUTS, "keyAlgorithm"),
        defaults=CERTIFICATE_DEFAULTS,
        problems=_use_problems,
        in_place=frozenset({"earlyRenewalHours"}),
        due=_is_due,
    ),
    "tls:index/locallySignedCert:LocallySignedCert": Kind(
        make=_locally_signed,
        outputs=(*CERTIFICATE_OUTPUTS, "caKeyAlgorithm"),
        defaults=CERTIFICATE_DEFAULTS,
        problems=_use_problems,
        in_place=frozenset({"earlyRenewalHours"}),
        due=_is_due,
    ),
}


if __name__ == "__main__":
    serve(Stateless(version("pulumi-tls"), KINDS, "sandbox/providers/tls.py"))
