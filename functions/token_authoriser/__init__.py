"""The Lambda authoriser for access tokens of an issuer other than the cell's own user pool."""
