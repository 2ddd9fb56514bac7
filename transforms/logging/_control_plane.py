"""What the control plane of a managed cluster logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_FEW = ("audit", "authenticator")
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
