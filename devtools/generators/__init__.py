"""Generators of committed files, one per module."""
