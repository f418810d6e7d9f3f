"""Guardrails: what may be planned, what may be replaced, who could become whom, and the evidence of it."""
