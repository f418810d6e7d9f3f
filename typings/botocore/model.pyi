"""As much of botocore's service models as is used, by moto's own too (botocore 1.44)."""

from collections.abc import Mapping
from typing import Any

class Shape:
    name: str
    type_name: str
    metadata: dict[str, Any]

class StructureShape(Shape): ...
class ListShape(Shape): ...
class MapShape(Shape): ...
class StringShape(Shape): ...

class OperationModel:
    name: str
    input_shape: Shape | None

class ServiceModel:
    protocol: str
    operation_names: list[str]
    def __init__(self, service_description: Mapping[str, Any], service_name: str | None = None) -> None: ...
    def operation_model(self, operation_name: str) -> OperationModel: ...

class ShapeResolver: ...
