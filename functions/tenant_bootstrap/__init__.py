"""Gives a tenant its role and schema in a database, keeps both closed, and takes the login away again."""
