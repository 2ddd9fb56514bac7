"""What the control plane of a managed cluster logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Evidence

TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_FEW = ("audit", "authenticator")
LOGS_ARE_OFF = Evidence("logs of the control plane are off unless they are asked for")
COST = "CloudWatch bills what is logged: set a retention for /aws/eks/CLUSTER/cluster"


@dataclass(frozen=True, slots=True)
class ControlPlaneLogs:
    """``types``: "all", or "audit" for the audit and authenticator logs alone."""

    GROUP: ClassVar[str] = "control-plane-logs"
    types: str = "all"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The log types of EKS that are asked for."""
        return _FEW if self.types == "audit" else TYPES
