"""The public keys of an issuer, fetched as OpenID Connect Discovery 1.0 says, and cached."""

import json
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Fetch: TypeAlias = Callable[[str], Any]

FRESH: Final = 3600  # seconds that keys are used without asking
STALE: Final = 24 * 3600  # and while the issuer cannot be asked
PAUSE: Final = 60  # between two questions, however many unknown keys are named
TIMEOUT: Final = 5.0
LARGEST: Final = 256 * 1024  # bytes of a document


class KeysError(RuntimeError):
    """The issuer's keys cannot be had: our trouble, not the caller's."""


class Keys:
    """Keys by id. A key that is not known is asked for once a minute at most."""

    def __init__(self, issuer: str, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._found: Mapping[str, Mapping[str, Any]] = {}
        self._fetched = self._asked = float("-inf")

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        """The key, or None where the issuer publishes no such one; raises `KeysError`."""
        now = self._clock()
        if (key_id not in self._found or now - self._fetched > FRESH) and now - self._asked >= PAUSE:
            self._refresh(now)
        if now - self._fetched > STALE:
            raise KeysError("the issuer's keys cannot be had")
        return self._found.get(key_id)

    def _refresh(self, now: float) -> None:
        self._asked = now
        try:
            self._found, self._fetched = self._ask(), now
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # with what is there, for as long as that may be used

    def _ask(self) -> Mapping[str, Mapping[str, Any]]:
        discovered = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if discovered["issuer"] != self._issuer:
            raise ValueError("the issuer calls itself something else")
        published = self._fetch(discovered["jwks_uri"])
        return {str(key["kid"]): key for key in published["keys"] if "kid" in key}


def fetch(url: str, context: ssl.SSLContext | None = None) -> Any:
    """A JSON document over https; raises OSError or ValueError."""
    if not url.startswith("https://"):
        raise ValueError("not an https address")
    opener = urllib.request.OpenerDirector()  # with https and nothing else: no redirects, files or proxies
    for handler in (
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    with opener.open(url, timeout=TIMEOUT) as answer:
        text = answer.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError("too large to be a set of keys")
    return json.loads(text)
