"""As much of botocore's sessions as is used (botocore 1.44)."""

from botocore.model import ServiceModel

class Session:
    def get_service_model(self, service_name: str, api_version: str | None = None) -> ServiceModel: ...

def get_session(env_vars: None = None) -> Session: ...
