"""Tokens of an issuer that is not ours: real RSA keys, and everything that must not pass."""

import base64
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from functions.token_authoriser.handler import Operation, Rules, UnauthorisedError, authorise
from functions.token_authoriser.keys import FRESH, LARGEST, PAUSE, STALE, Keys, KeysError, fetch
from functions.token_authoriser.tokens import Expected, PublicKey, TokenError, check
from tests.functions.tls import Server

ISSUER = "https://login.example/tenantry"
EXPECTED = Expected(ISSUER, "reports")
NOW = 1_800_000_000
CLAIMS = {"iss": ISSUER, "aud": "reports", "exp": NOW + 600, "tenant": "acme", "scope": "reports/read other"}
ARN = "arn:aws:execute-api:eu-west-1:111122223333:abc123/v1/GET/reports"
RULES = Rules(
    EXPECTED,
    "tenant",
    [
        Operation("POST", "/reports", frozenset({"reports/write"})),
        Operation("GET", "/reports", frozenset({"reports/read"})),
        Operation("GET", "/reports/{id}", frozenset({"reports/read"})),
    ],
)


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def part(value: Any) -> str:
    return encode(json.dumps(value).encode())


@cache
def private(name: str = "a", bits: int = 2048) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(65537, bits)


def jwk(key: rsa.RSAPrivateKey, **changed: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    n, e = (encode(x.to_bytes((x.bit_length() + 7) // 8)) for x in (numbers.n, numbers.e))
    return {"kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": n, "e": e, **changed}


def find(key_id: str) -> Mapping[str, Any] | None:
    return jwk(private()) if key_id == "a" else None


def token(
    claims: Mapping[str, Any] = CLAIMS,
    header: Mapping[str, Any] | None = None,
    key: rsa.RSAPrivateKey | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
) -> str:
    signed = f"{part({'alg': 'RS256', 'kid': 'a', **(header or {})})}.{part(claims)}"
    signature = (key or private()).sign(signed.encode(), padding.PKCS1v15(), algorithm or hashes.SHA256())
    return f"{signed}.{encode(signature)}"


def refused(text: str, why: str, finder: Callable[[str], Mapping[str, Any] | None] = find) -> None:
    with pytest.raises(TokenError, match=why):
        check(text, EXPECTED, finder, NOW)


def test_a_genuine_token_gives_its_claims() -> None:
    assert check(token(), EXPECTED, find, NOW) == CLAIMS
    assert check(token({**CLAIMS, "aud": ["x", "reports"]}), EXPECTED, find, NOW)["tenant"] == "acme"


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_keys_of_every_size_sign(bits: int) -> None:
    key = private("sizes", bits)
    assert check(token(key=key), EXPECTED, lambda _: jwk(key), NOW)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({**CLAIMS, "iss": ISSUER + "/"}, "of another issuer"),
        ({**CLAIMS, "aud": "other"}, "for another audience"),
        ({**CLAIMS, "aud": ["other"]}, "for another audience"),
        ({k: v for k, v in CLAIMS.items() if k != "aud"}, "for another audience"),
        ({**CLAIMS, "exp": NOW - 31}, "expired"),
        ({k: v for k, v in CLAIMS.items() if k != "exp"}, "without an end"),
        ({**CLAIMS, "exp": "9999999999"}, "without an end"),
        ({**CLAIMS, "exp": True}, "without an end"),
        ({**CLAIMS, "nbf": NOW + 31}, "not valid yet"),
        ({**CLAIMS, "nbf": "soon"}, "not valid yet"),
        ({**CLAIMS, "nbf": True}, "not valid yet"),
    ],
)
def test_claims_that_do_not_fit_are_refused(claims: Mapping[str, Any], why: str) -> None:
    refused(token(claims), why)


def test_clocks_may_differ_a_little() -> None:
    assert check(token({**CLAIMS, "exp": NOW - 29, "nbf": NOW + 29}), EXPECTED, find, NOW)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS384", "PS256", "ES256", "", None])
def test_no_other_algorithm_is_known(algorithm: str | None) -> None:
    refused(token(header={"alg": algorithm}), "signed in a way that is not known here")


def test_a_header_that_must_be_understood_is_refused() -> None:
    refused(token(header={"crit": ["b64"]}), "signed in a way that is not known here")


def test_a_token_signed_by_somebody_else_is_refused() -> None:
    refused(token(key=private("mallory")), "the signature is wrong")
    refused(token(algorithm=hashes.SHA384()), "the signature is wrong")
    refused(token(header={"kid": "b"}), "a key that the issuer does not publish")


def test_a_key_inside_the_token_is_not_believed() -> None:
    mallory = private("mallory")
    refused(token(header={"jwk": jwk(mallory)}, key=mallory), "the signature is wrong")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kty": "oct"}, "not for RS256"),
        ({"use": "enc"}, "not for RS256"),
        ({"alg": "RS512"}, "not for RS256"),
        ({"n": None}, "not for RS256"),
        ({"e": encode(b"\x01")}, "too weak"),
        ({"e": encode(b"\x03")}, "too weak"),
    ],
)
def test_an_unfit_key_checks_nothing(changed: Mapping[str, Any], why: str) -> None:
    refused(token(), why, lambda _: jwk(private(), **changed))


def test_a_short_key_checks_nothing() -> None:
    weak = private("weak", 1024)
    refused(token(key=weak), "too weak", lambda _: jwk(weak))


@given(st.integers(0, 2047), st.sampled_from(["signature", "message"]))
def test_a_flipped_bit_is_seen(bit: int, where: str) -> None:
    message = b"header.claims" * 20
    signature = private().sign(message, padding.PKCS1v15(), hashes.SHA256())
    key = PublicKey.parse(jwk(private()))
    assert key.signed(message, signature)
    broken = bytearray(signature if where == "signature" else message)
    broken[bit // 8] ^= 1 << bit % 8
    assert not (
        key.signed(message, bytes(broken)) if where == "signature" else key.signed(bytes(broken), signature)
    )


def test_a_padding_that_is_only_right_at_its_end_is_refused() -> None:
    """Bleichenbacher's forgery of 2006 lives on checks that parse the padding."""
    numbers = private().private_numbers()
    n, d = numbers.public_numbers.n, numbers.d
    right = private().sign(b"m", padding.PKCS1v15(), hashes.SHA256())
    block = pow(int.from_bytes(right), 65537, n).to_bytes(256)
    digest = block[-51:]
    for forged in (
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + digest + b"\x00" * 194,
        b"\x00\x01" + b"\xff" * 201 + b"\x01" + digest,
        b"\x00\x02" + b"\xff" * 202 + b"\x00" + digest,
    ):
        signature = pow(int.from_bytes(forged.ljust(256, b"\x00")[:256]), d, n).to_bytes(256)
        assert not PublicKey.parse(jwk(private())).signed(b"m", signature)
    assert not PublicKey.parse(jwk(private())).signed(b"m", b"\x00" + right)


def test_a_signature_has_one_value() -> None:
    """Adding the modulus changes nothing for the arithmetic, and would be a second spelling."""
    roomy = next(k for k in iter(lambda: private(f"roomy-{next(COUNT)}"), None) if _room(k) > 0.2)
    n = roomy.private_numbers().public_numbers.n
    for number in range(1000):
        message = str(number).encode()
        signature = roomy.sign(message, padding.PKCS1v15(), hashes.SHA256())
        larger = int.from_bytes(signature) + n
        if larger < 2**2048:
            break
    else:
        raise AssertionError("no signature leaves room")
    assert PublicKey.parse(jwk(roomy)).signed(message, signature)
    assert not PublicKey.parse(jwk(roomy)).signed(message, larger.to_bytes(256))


COUNT = itertools.count()


def _room(key: rsa.RSAPrivateKey) -> float:
    """How many signatures of a key still fit when the modulus is added."""
    n = key.private_numbers().public_numbers.n
    return (2**2048 - n) / n


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c", "é.é.é", f"{part([])}.{part({})}.x"]
)
def test_what_is_no_token_is_refused(text: str) -> None:
    refused(text, "not a signed token|signed in a way")


def test_a_token_has_one_spelling() -> None:
    right = token()
    refused(right + "=", "not a signed token")
    head, claims, signature = right.split(".")
    last = "AQgw".index(signature[-1]) if signature[-1] in "AQgw" else None
    assert last is not None, "256 bytes leave four bits unused in the last letter"
    refused(f"{head}.{claims}.{signature[:-1]}{chr(ord(signature[-1]) + 1)}", "not a signed token")


@given(st.text(max_size=200))
def test_whatever_is_sent_is_refused_and_nothing_breaks(text: str) -> None:
    with pytest.raises(UnauthorisedError, match=r"^Unauthorized$"):
        authorise({"authorizationToken": text, "methodArn": ARN}, RULES, find, NOW)


# --- what it answers


def answer(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    return authorise({"authorizationToken": f"Bearer {token(claims)}", "methodArn": ARN}, RULES, find, NOW)


def statement(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    (found,) = answer(claims)["policyDocument"]["Statement"]
    return found


STAGE = "arn:aws:execute-api:eu-west-1:111122223333:abc123/v1"


def test_a_caller_may_do_what_its_scopes_allow_and_no_more() -> None:
    assert statement(CLAIMS)["Resource"] == [f"{STAGE}/GET/reports", f"{STAGE}/GET/reports/*"]
    assert statement({**CLAIMS, "scope": "reports/write"})["Resource"] == [f"{STAGE}/POST/reports"]
    assert statement({**CLAIMS, "scope": "reports/write"})["Effect"] == "Allow"


@pytest.mark.parametrize("scope", ["", "reports", "REPORTS/READ", "reports/readx"])
def test_without_a_scope_everything_is_denied(scope: str) -> None:
    assert statement({**CLAIMS, "scope": scope}) == {
        "Effect": "Deny",
        "Action": "execute-api:Invoke",
        "Resource": [f"{STAGE}/*"],
    }


def test_scopes_may_be_a_list_under_another_name() -> None:
    claims = {**{k: v for k, v in CLAIMS.items() if k != "scope"}, "scp": ["reports/write"]}
    assert statement(claims)["Resource"] == [f"{STAGE}/POST/reports"]


def test_the_origin_is_told_the_tenant_that_the_token_names() -> None:
    assert answer(CLAIMS)["context"] == {"tenant": "acme"}


@pytest.mark.parametrize("tenant", [None, "", "../acme", "ACME", 7, ["acme"], "acme\n"])
def test_a_token_that_names_no_tenant_is_refused(tenant: object) -> None:
    with pytest.raises(UnauthorisedError, match=r"^Unauthorized$"):
        answer({**CLAIMS, "tenant": tenant})


@pytest.mark.parametrize("sent", [None, "", "Basic x", "bearer x", "Bearer  x", "Bearer"])
def test_anything_but_a_bearer_token_is_refused(sent: str | None) -> None:
    with pytest.raises(UnauthorisedError, match=r"^Unauthorized$"):
        authorise({"authorizationToken": sent, "methodArn": ARN}, RULES, find, NOW)


def test_the_log_says_why_and_quotes_no_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    expired = token({**CLAIMS, "exp": 1})
    with pytest.raises(UnauthorisedError, match="Unauthorized"):
        authorise({"authorizationToken": f"Bearer {expired}", "methodArn": ARN}, RULES, find, NOW)
    assert "expired" in caplog.text
    assert not any(piece in caplog.text for piece in expired.split("."))


def test_rules_come_from_the_environment() -> None:
    operations = [{"method": o.method, "path": o.path, "scopes": sorted(o.scopes)} for o in RULES.operations]
    environment = {
        "ISSUER": ISSUER,
        "AUDIENCE": "reports",
        "TENANT_CLAIM": "tenant",
        "OPERATIONS": json.dumps(operations),
    }
    assert Rules.parse(environment) == RULES


# --- the issuer's keys


class Issuer:
    """Two documents, a clock, and a count of the questions."""

    def __init__(self) -> None:
        self.keys = [jwk(private())]
        self.name, self.time, self.asked, self.broken = ISSUER, 0.0, 0, False

    def fetch(self, url: str) -> Any:
        self.asked += 1
        if self.broken:
            raise TimeoutError
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return {"issuer": self.name, "jwks_uri": "https://login.example/keys"}
        assert url == "https://login.example/keys"
        return {"keys": self.keys}

    def made(self) -> Keys:
        return Keys(ISSUER, self.fetch, lambda: self.time)


def test_keys_are_asked_for_once() -> None:
    issuer = Issuer()
    keys = issuer.made()
    for _ in range(5):
        assert keys.find("a") == jwk(private())
    assert issuer.asked == 2


def test_a_new_key_is_found_and_unknown_ones_do_not_make_us_ask_without_end() -> None:
    issuer = Issuer()
    keys = issuer.made()
    assert keys.find("a")
    issuer.keys.append(jwk(private("b"), kid="b"))
    assert keys.find("b") is None  # asked a moment ago
    issuer.time = PAUSE
    assert keys.find("b")
    asked = issuer.asked
    for _ in range(100):
        assert keys.find("nonsense") is None
    assert issuer.asked == asked


def test_a_key_that_is_withdrawn_is_forgotten_within_the_hour() -> None:
    issuer = Issuer()
    keys = issuer.made()
    assert keys.find("a")
    issuer.keys, issuer.time = [], FRESH + 1
    assert keys.find("a") is None


def test_while_the_issuer_is_away_its_keys_serve_for_a_day() -> None:
    issuer = Issuer()
    keys = issuer.made()
    assert keys.find("a")
    issuer.broken, issuer.time = True, STALE - 1
    assert keys.find("a")
    issuer.time = STALE + 1
    with pytest.raises(KeysError, match="cannot be had"):
        keys.find("a")


def test_without_keys_it_is_our_trouble_and_not_the_callers() -> None:
    issuer = Issuer()
    issuer.broken = True
    with pytest.raises(KeysError, match="cannot be had"):
        issuer.made().find("a")


def test_an_issuer_that_calls_itself_something_else_is_not_believed() -> None:
    issuer = Issuer()
    issuer.name = "https://other.example"
    with pytest.raises(KeysError, match="cannot be had"):
        issuer.made().find("a")


@pytest.mark.parametrize("url", ["http://login.example/keys", "file:///etc/passwd", ""])
def test_documents_are_fetched_over_https_only(url: str) -> None:
    with pytest.raises(ValueError, match="not an https address"):
        fetch(url)


@pytest.fixture
def issuer_host(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, "localhost")
    with made.running():
        yield made


def test_a_document_is_fetched(issuer_host: Server) -> None:
    issuer_host.content = b'{"keys": []}'
    assert fetch(f"https://localhost:{issuer_host.endpoint[1]}/keys", issuer_host.trusted) == {"keys": []}


def test_a_redirect_is_not_followed(issuer_host: Server) -> None:
    issuer_host.answer, issuer_host.location = 302, "https://169.254.169.254/"
    with pytest.raises(OSError, match="302"):
        fetch(f"https://localhost:{issuer_host.endpoint[1]}/keys", issuer_host.trusted)
    assert len(issuer_host.got) == 1


def test_a_document_without_end_is_not_read_to_its_end(issuer_host: Server) -> None:
    issuer_host.content = b" " * (LARGEST + 2)
    with pytest.raises(ValueError, match="too large"):
        fetch(f"https://localhost:{issuer_host.endpoint[1]}/keys", issuer_host.trusted)


def test_an_issuer_that_nobody_vouches_for_is_not_believed(issuer_host: Server) -> None:
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(f"https://localhost:{issuer_host.endpoint[1]}/keys")
