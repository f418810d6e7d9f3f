"""A provider that takes everything, for programs that are only planned: `python -m tests.engine.anything`."""

from devtools.paths import plugin_versions
from sandbox.providers.plugin import UNKNOWN, Checked, Provider, Values, serve


class Anything(Provider):
    version = plugin_versions()["aws"]

    def check(self, token: str, name: str, news: Values, olds: Values, seed: bytes) -> Checked:
        return Checked(news)

    def create(self, token: str, urn: str, inputs: Values, preview: bool) -> tuple[str, Values]:
        assert preview, "this provider makes nothing"
        return "", {**inputs, "arn": UNKNOWN, "id": UNKNOWN}


if __name__ == "__main__":
    serve(Anything())
