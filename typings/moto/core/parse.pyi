"""As much of moto's parsers of requests as is used (moto 5.2)."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from moto.core.model import OperationModel

class RequestParser(Protocol):
    def parse(self, request_dict: Mapping[str, Any]) -> dict[str, Any]: ...

PROTOCOL_PARSERS: Mapping[str, Callable[[OperationModel], RequestParser]]
