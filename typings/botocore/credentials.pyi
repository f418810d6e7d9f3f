"""As much of botocore's credentials as is used (botocore 1.44)."""

class Credentials:
    def __init__(self, access_key: str, secret_key: str, token: str | None = None) -> None: ...
