"""What an audit log cannot show of an account, since the policy of the server leaves it out."""

from __future__ import annotations

from hardener.kubernetes.audit.policy import Plain, Request, evaluate

_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
# What applications ask for; a custom resource stands for all of them.
_ASKED = (
    ("", "configmaps"), ("", "endpoints"), ("", "events"), ("", "namespaces"), ("", "nodes"), ("", "pods"),
    ("", "pods/exec"), ("", "pods/log"), ("", "secrets"), ("", "serviceaccounts"), ("", "services"),
    ("apps", "deployments"), ("apps", "statefulsets"), ("batch", "jobs"), ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"), ("events.k8s.io", "events"), ("networking.k8s.io", "ingresses"),
    ("rbac.authorization.k8s.io", "roles"), ("example.com", "custom resources"),
)  # fmt: skip


def blind_spots(policy: Plain, namespace: str, account: str) -> list[str]:
    """Requests of the service account that ``policy`` does not record ("list and watch events"); none: it sees all
    that applications ask for."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    user = f"system:serviceaccount:{namespace}:{account}"
    found = []
    for group, resource in _ASKED:
        unseen = [
            verb
            for verb in _VERBS
            if not evaluate(policy, Request(verb, resource, group, user, groups, namespace, "thing")).rank
        ]
        if unseen:
            verbs = "every verb on" if len(unseen) == len(_VERBS) else ", ".join(unseen)
            found.append(f"{verbs} {resource}{f'.{group}' if group and group != 'example.com' else ''}")
    return found
