"""Addresses, allowed paths, ACLs and endpoints."""
