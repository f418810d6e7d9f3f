"""The sandbox, a local cloud behind the real Pulumi engine: provider plugins, PostgreSQL servers, AWS APIs.

Nothing here is needed by a `pulumi up` against AWS, and the program never asks whether it runs in it.
"""
