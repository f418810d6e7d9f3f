"""Parameter Store in memory, for tests of what functions keep there."""

from dataclasses import dataclass, field


@dataclass
class FakeParameters:
    """As much of it as functions ask; one that is not there is deleted without a mistake."""

    values: dict[str, str] = field(default_factory=dict[str, str])

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def delete(self, name: str) -> None:
        self.values.pop(name, None)
