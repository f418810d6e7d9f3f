"""The rules that a plan must satisfy, one module per subject."""
