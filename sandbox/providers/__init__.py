"""Provider plugins: `python -m sandbox.providers.aws`, `.random`, `.tls`."""
