"""A local cloud behind the real engine: provider plugins, the engine's tool-chain, a real PostgreSQL.

Nothing here is needed by a `pulumi up` against AWS, and the program never asks whether it runs in it.
"""
