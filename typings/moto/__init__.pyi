"""As much of moto as is used (moto 5.2)."""

from contextlib import AbstractContextManager

def mock_aws() -> AbstractContextManager[None]: ...
