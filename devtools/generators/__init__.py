"""Generators of committed files, one a module."""
