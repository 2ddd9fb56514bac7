"""Which administration interfaces ask by themselves who is there, and what tells them not to.

Sources: the documentation of each project; that the others let everybody in by default is what Kubescape's control on
exposed sensitive interfaces rests on.
"""

from collections.abc import Iterable, Mapping

OWN_SIGN_IN: frozenset[str] = frozenset(
    {"adminer", "airflow", "argocd-server", "grafana", "headlamp", "jenkins", "jupyter", "jupyterhub", "kiali", "minio",
     "pgadmin", "phpmyadmin", "portainer", "rancher"}
)  # fmt: skip
"""Names of ``sensitive_component`` whose programs ask who is there unless they are told not to."""

PROXIES = ("oauth", "kube-rbac-proxy", "pomerium", "authelia", "authentik", "gatekeeper", "louketo")
"""What images of proxies are called that ask who is there before they let anybody through."""

_OFF = ("--disable-auth", "--enable-skip-login", "--auth-mode=server")
_OFF_WHERE_TRUE = ("GF_AUTH_ANONYMOUS_ENABLED", "ARGOCD_SERVER_DISABLE_AUTH")


def switched_off(words: Iterable[str], env: Mapping[str, str]) -> str | None:
    """The word of a command or the variable that lets everybody in without a sign-in; None where there is none."""
    found = (word for word in words if word.removesuffix("=true") in _OFF)
    variables = (name for name in _OFF_WHERE_TRUE if env.get(name, "").strip().lower() == "true")
    return next(found, None) or next(variables, None)
