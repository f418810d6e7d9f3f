"""Checks access tokens of an issuer that is not the cell's own user pool."""
