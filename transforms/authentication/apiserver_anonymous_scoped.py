from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.support.shell_words import scalar
from hardener.tree.control_plane import HOSTED, Component, ControlPlane, How, components, how, since
from hardener.tree.view import View

_FLAG, _FILE = "anonymous-auth", "authentication-config"
_FOLDER = "/etc/kubernetes/harden"
_HEALTH = ("/livez", "/readyz", "/healthz")
_CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"

_TAKE_A_FILE = ("static-pod", "kubeadm", "cluster-api")  # the others pass --anonymous-auth=false, which excludes it


@dataclass(frozen=True)
class Anonymous:
    """``keep_kubeadm_join``: nodes that join with a token may read cluster-info before they have a name."""

    GROUP: ClassVar[str] = "anonymous"
    keep_kubeadm_join: bool = False


@transform(each=ControlPlane, stage="authentication", severity=Severity.HIGH, cis="1.2.1", options=Anonymous)
def apiserver_anonymous_scoped(carrier: ControlPlane, options: Anonymous) -> Steps:
    """Limit anonymous requests to health endpoints.

    Problem: the API server accepts anonymous requests at any endpoint.

    Result: The API server answers anonymous requests only at its health endpoints.

    Why: one wrong binding to system:anonymous or system:unauthenticated opens the cluster to the network.

    May break: the server does not start without the file that the flag names; kubeadm join with a token reads
    cluster-info anonymously, unless anonymous.keep-kubeadm-join is set.
    """
    for server in components(carrier, "kube-apiserver"):
        if server.value(_FLAG) == "true" and server.version >= (1, 32):
            yield from _one(server, options)


def _one(server: Component, options: Anonymous) -> Steps:
    if server.get("oidc-issuer-url") is not None:
        yield _finding(server, "write the --oidc flags as jwt of an AuthenticationConfiguration, which they exclude")
        return
    if server.installer == HOSTED and server.get(_FILE) is None:
        file = f"an AuthenticationConfiguration with {_words(options)}"
        yield _finding(server, f"mount {file} from a ConfigMap, name it with --{_FILE}, and remove --{_FLAG}")
        return
    if server.installer not in (*_TAKE_A_FILE, HOSTED):
        yield _finding(server, f"remove --{_FLAG}: {server.installer} switches it off by itself")
        return
    places = server.view.tree.of("apiserver.config.k8s.io", "AuthenticationConfiguration")
    if server.get(_FILE) is not None or places:
        files = [item for item in places if item.editable]
        if len(files) == 1 and server.get(_FILE) is not None:
            yield from _extended(server, files[0], options)
        else:
            yield _finding(server, f"write into its AuthenticationConfiguration: {_words(options)}")
        return
    edits: list[Edit] = []
    path = f"{_FOLDER}/authentication.yaml"
    words = _how(server, server.placing("authentication.yaml", path))
    for item in server.view.host_file("authentication.yaml", _text(server, options), **words.words):
        if isinstance(item, Finding):
            yield item
            return
        edits.append(item)
    if server.get(_FLAG) is not None:
        edits += server.unset(_FLAG, words)
    edits += server.set(_FILE, path, words)
    if not server.mounts(path):
        edits += server.mount("authentication", _FOLDER, read_only=True, type="Directory", how=words)
    yield edits


def _extended(server: Component, file: View, options: Anonymous) -> Steps:
    """The step where the server has such a file, which is in the tree."""
    if file.has("anonymous"):
        return  # the server refuses the flag beside it
    words = _how(server, "copy the file to every control-plane node")
    edits = [file.set("anonymous", to=_anonymous(options), **words.words)]
    if server.get(_FLAG) is not None:
        edits += server.unset(_FLAG, words)
    yield edits


def _how(server: Component, first: str) -> How:
    stops = Evidence("without the file the server does not start")
    basis = Basis.PROVED if server.get(_FLAG) else Basis.INFERRED
    why = (server.state(_FLAG), since(server, (1, 32)))
    return how(server, *why, against=[stops], basis=basis, requires=(first,))


def _finding(server: Component, advice: str) -> Finding:
    return server.finding(
        "the API server answers anonymous requests at every path", _FLAG, advice=advice, severity=Severity.MEDIUM
    )


def _paths(options: Anonymous) -> list[str]:
    return [*_HEALTH, *([_CLUSTER_INFO] if options.keep_kubeadm_join else [])]


def _anonymous(options: Anonymous) -> dict[str, Any]:
    return {"enabled": True, "conditions": [{"path": path} for path in _paths(options)]}


def _words(options: Anonymous) -> str:
    paths = ", ".join(f"{{path: {scalar(path)}}}" for path in _paths(options))
    return f"anonymous: {{enabled: true, conditions: [{paths}]}}"


def _text(server: Component, options: Anonymous) -> str:
    version = "v1" if server.version >= (1, 34) else "v1beta1"
    paths = "".join(f"  - path: {scalar(path)}\n" for path in _paths(options))
    return (
        f"apiVersion: apiserver.config.k8s.io/{version}\nkind: AuthenticationConfiguration\n"
        f"anonymous:\n  enabled: true\n  conditions:\n{paths}"
    )
