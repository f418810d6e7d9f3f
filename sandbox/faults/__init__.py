"""Fault injection: the sandbox fails as clouds do, by a plan (`SANDBOX_FAULTS`)."""

from sandbox.faults.injector import Injector, Step
from sandbox.faults.plan import FaultPlanError, read_plan

__all__ = ["FaultPlanError", "Injector", "Step", "read_plan"]
