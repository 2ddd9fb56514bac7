"""What the hooks for pods of the kubernetes client share; `harden hook` puts it in their place."""

from typing import Any

from kubernetes import client

# Both belong to the Pod Security level "restricted". An image that starts as root stops with either of them, so look
# at your images first.
RUN_AS_NON_ROOT = False
DROP_ALL_CAPABILITIES = False


def harden_pod(pod: Any) -> None:
    """Fill in what a V1Pod leaves open; what it says itself stays."""
    spec = pod.spec
    if spec.os is not None and spec.os.name == "windows":
        return
    if spec.automount_service_account_token is None and spec.service_account_name in (None, "", "default"):
        spec.automount_service_account_token = False
    if spec.security_context is None:
        spec.security_context = client.V1PodSecurityContext()
    own = spec.security_context
    if own.seccomp_profile is None:
        own.seccomp_profile = client.V1SeccompProfile(type="RuntimeDefault")
    if RUN_AS_NON_ROOT and own.run_as_non_root is None:
        own.run_as_non_root = True
    for container in [*(spec.init_containers or []), *spec.containers]:
        _harden_container(container)


def _harden_container(container: Any) -> None:
    if container.security_context is None:
        container.security_context = client.V1SecurityContext()
    own = container.security_context
    # The API refuses False beside either of these.
    added = own.capabilities.add or [] if own.capabilities is not None else []
    needs_more = own.privileged or "SYS_ADMIN" in added or "CAP_SYS_ADMIN" in added
    if own.allow_privilege_escalation is None and not needs_more:
        own.allow_privilege_escalation = False
    if DROP_ALL_CAPABILITIES and own.capabilities is None and not own.privileged:
        own.capabilities = client.V1Capabilities(drop=["ALL"])
