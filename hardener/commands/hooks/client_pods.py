"""What the hooks for pods of the kubernetes client share; `harden hook` puts it in their place."""

from typing import Any

# Both belong to the Pod Security level "restricted". An image that starts as root stops with either of them, so look
# at your images first.
RUN_AS_NON_ROOT = False
DROP_ALL_CAPABILITIES = False

# What the client calls the fields of the API. Security contexts may be its objects, or dicts as the API has them.
ATTRIBUTES = {
    "allowPrivilegeEscalation": "allow_privilege_escalation",
    "runAsNonRoot": "run_as_non_root",
    "seccompProfile": "seccomp_profile",
}


def harden_pod(pod: Any) -> None:
    """Fill in what a V1Pod leaves open; what it says itself stays."""
    spec = pod.spec
    if _said(getattr(spec, "os", None), "name") == "windows":
        return
    if spec.automount_service_account_token is None and spec.service_account_name in (None, "", "default"):
        spec.automount_service_account_token = False
    wanted: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if RUN_AS_NON_ROOT:
        wanted["runAsNonRoot"] = True
    spec.security_context = _filled(spec.security_context, wanted)
    for container in [*(spec.init_containers or []), *spec.containers]:
        _harden_container(container)


def _harden_container(container: Any) -> None:
    own = container.security_context
    privileged = _said(own, "privileged")
    added = _said(_said(own, "capabilities"), "add") or []
    wanted: dict[str, Any] = {}
    # The API refuses False beside either of these.
    if not (privileged or "SYS_ADMIN" in added or "CAP_SYS_ADMIN" in added):
        wanted["allowPrivilegeEscalation"] = False
    if DROP_ALL_CAPABILITIES and not privileged:
        wanted["capabilities"] = {"drop": ["ALL"]}
    container.security_context = _filled(own, wanted)


def _said(value: Any, field: str) -> Any:
    return value.get(field) if isinstance(value, dict) else getattr(value, ATTRIBUTES.get(field, field), None)


def _filled(own: Any, wanted: dict[str, Any]) -> Any:
    """A security context with what it leaves open."""
    missing = {field: value for field, value in wanted.items() if _said(own, field) is None}
    if own is None or isinstance(own, dict):
        return {**(own or {}), **missing} or own
    for field, value in missing.items():
        setattr(own, ATTRIBUTES.get(field, field), value)
    return own
