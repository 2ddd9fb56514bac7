"""Whom RBAC gives rights to.

Source: k8s.io/api rbac/v1, types.go; of the name of an account as a user, apiserver pkg/authentication/serviceaccount.
"""

from __future__ import annotations

from collections.abc import Mapping

from hardener.support.late_pattern import late_pattern

GROUP = "rbac.authorization.k8s.io"
DEFAULT = "default"
"""The account of a pod that names none."""

SERVICE_ACCOUNT = late_pattern(r"""serviceAccount(?<!\wserviceAccount)(?:Name)?["']?[ \t]*:[ \t]*["']?([\w.-]+)""")
"""The account of a pod, in a text that is not parsed."""

_USER = "system:serviceaccount:"


def service_account(subject: object) -> tuple[str, str | None] | None:
    """Name and namespace of the service account that a subject of a binding is; None for anybody else.

    Without a namespace it is that of the binding. Groups, such as all accounts of a namespace, are nobody: they give
    every pod the same, and most pods never ask for it.
    """
    if not isinstance(subject, Mapping):
        return None
    kind, name, namespace = (subject.get(key) for key in ("kind", "name", "namespace"))
    if not isinstance(name, str):
        return None
    if kind == "ServiceAccount":
        return name, namespace if isinstance(namespace, str) and namespace else None
    if kind == "User" and name.startswith(_USER):
        namespace, _, name = name.removeprefix(_USER).partition(":")
        return (name, namespace) if namespace and name else None
    return None
