"""Repair of a stack after a run that ended badly, on AWS as in the sandbox, with plain `pulumi`."""
