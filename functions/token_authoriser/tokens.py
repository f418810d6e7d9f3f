"""Verifies signed tokens (RFC 7515, 7519) with RS256, the one algorithm that every issuer offers.

Tokens are only verified here, with public keys, so there is no secret to leak. No other algorithm is
implemented: "none", and those with shared secrets, need no list that refuses them.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

ALGORITHM: Final = "RS256"
LEEWAY: Final = 30  # seconds that clocks may differ
_BASE64URL: Final = re.compile("[A-Za-z0-9_-]*")
# The DER prefix of a SHA-256 digest in a signature (RFC 8017, section 9.2, note 1).
_SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")


class TokenError(ValueError):
    """The token is not to be trusted; the text says why and quotes nothing of it."""


@dataclass(frozen=True)
class PublicKey:
    """An RSA key of an issuer."""

    modulus: int
    exponent: int

    @classmethod
    def parse(cls, jwk: Mapping[str, Any]) -> "PublicKey":
        """From a JSON Web Key; raises `TokenError` for one that is not fit to check RS256 with."""
        fit = jwk.get("kty") == "RSA" and jwk.get("use", "sig") == "sig"
        if not fit or jwk.get("alg", ALGORITHM) != ALGORITHM:
            raise TokenError("the key is not for RS256 signatures")
        key = cls(_integer(jwk.get("n")), _integer(jwk.get("e")))
        if key.modulus.bit_length() < 2048 or key.exponent < 65537 or key.exponent % 2 == 0:
            raise TokenError("the key is too weak")
        return key

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's for `message`: the whole padding is compared, nothing parsed."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature)
        if len(signature) != size or number >= self.modulus:
            return False
        digest = _SHA256 + hashlib.sha256(message).digest()
        padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        return hmac.compare_digest(pow(number, self.exponent, self.modulus).to_bytes(size), padded)


FindKey: TypeAlias = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Expected:
    """What a token must say."""

    issuer: str
    audience: str


def check(token: str, expected: Expected, find_key: FindKey, now: float) -> Mapping[str, Any]:
    """The claims of a token that is genuine, for us, and valid now; raises `TokenError`."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("not a signed token")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise TokenError("signed in a way that is not known here")
    jwk = find_key(str(header.get("kid")))
    if jwk is None:
        raise TokenError("signed with a key that the issuer does not publish")
    if not PublicKey.parse(jwk).signed(f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2])):
        raise TokenError("the signature is wrong")
    _compare(claims, expected, now)
    return claims


def _compare(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    audience: object = claims.get("aud")
    audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    if claims.get("iss") != expected.issuer:
        raise TokenError("of another issuer")
    if expected.audience not in audiences:
        raise TokenError("for another audience")
    if not _number(claims.get("exp")) or claims["exp"] + LEEWAY <= now:
        raise TokenError("expired, or without an end")
    if "nbf" in claims and (not _number(claims["nbf"]) or claims["nbf"] - LEEWAY > now):
        raise TokenError("not valid yet")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _bytes(text: str) -> bytes:
    """Strict base64url: one text for each value, so that a token cannot be spelled in two ways."""
    if not _BASE64URL.fullmatch(text):
        raise TokenError("not a signed token")
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise TokenError("not a signed token") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != text:
        raise TokenError("not a signed token")
    return decoded


def _object(text: str) -> Mapping[str, Any]:
    try:
        found: object = json.loads(_bytes(text))
    except ValueError:
        raise TokenError("not a signed token") from None
    if not isinstance(found, dict):
        raise TokenError("not a signed token")
    return cast("Mapping[str, Any]", found)


def _integer(value: Any) -> int:
    if not isinstance(value, str):
        raise TokenError("the key is not for RS256 signatures")
    return int.from_bytes(_bytes(value))
