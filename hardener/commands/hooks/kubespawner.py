"""For jupyterhub_config.py: every pod that KubeSpawner starts is hardened where it says nothing itself.

Then name it there: c.KubeSpawner.modify_pod_hook = modify_pod_hook
"""

from typing import Any

from .client_pods import harden_pod


def modify_pod_hook(spawner: Any, pod: Any) -> Any:
    harden_pod(pod)
    return pod
