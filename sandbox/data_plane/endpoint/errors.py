"""AWS's error responses."""


class AwsError(Exception):
    """A code and a sentence, in AWS's words; `code` and `message` are what goes over the wire."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


# How the services call a refusal by IAM (their API references, "Common errors", 2026-11).
DENIED = {
    "sts": "AccessDenied",
    "rds": "AccessDenied",
    "s3": "AccessDenied",
    "sns": "AuthorizationError",
    "sqs": "AccessDenied",
}


def denied(service: str, message: str) -> AwsError:
    return AwsError(DENIED.get(service, "AccessDeniedException"), message)
