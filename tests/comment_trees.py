"""Trees to which 1, 40 and 400 edits are made, each with the options of the run: for whole reports."""

from __future__ import annotations

from .conftest import DEPLOYMENT

_FULL = "        resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}}\n"
_PRIVILEGED = "        securityContext:\n          runAsUser: 0\n          privileged: true\n"
_ROOT = (
    "        resources: {limits: {cpu: 500m}}\n        securityContext:\n          runAsUser: 0\n"
    "          allowPrivilegeEscalation: true\n          capabilities: {add: [SYS_ADMIN]}\n"
)
KNOWN = DEPLOYMENT.replace("example.com/web:1.2.3", "redis:7.2")
# Four workloads to which 40 edits are made: of an image that is known and of others, one with a change held back.
WORKLOADS = {
    "web": ("example.com/web:1.2.3", _FULL), "cache": ("redis:7.2", ""), "job": ("example.com/job:4", _PRIVILEGED),
    "sync": ("example.com/sync:2", _ROOT),
}  # fmt: skip


def workloads(number: int) -> dict[str, str]:
    """Manifests of four workloads."""
    found = {}
    for name, (image, more) in WORKLOADS.items():
        text = DEPLOYMENT.replace("example.com/web:1.2.3", "IMAGE").replace("web", f"{name}{number}")
        found[f"{name}{number}.yaml"] = text.replace("IMAGE", image) + more
    return found


TREES = {
    1: ({"web.yaml": KNOWN}, ["--only", "automount-token"]),
    40: (workloads(0), []),
    400: ({name: text for number in range(10) for name, text in workloads(number).items()}, []),
}
