"""Settings of what is installed beside Kubernetes, and of the rarer kinds of its own, as views: each is looked at by a
rule for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hardener.support.data_path import Path, value_at
from hardener.tree.view import View

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

# Where an object says what a chart is rendered with. Sources: the references of Flux (HelmRelease), Argo CD
# (Application, ApplicationSet), helm-controller of k3s and provider-helm of Crossplane.
_MAPPINGS: dict[str, tuple[Path, ...]] = {
    "helm.toolkit.fluxcd.io": (("spec", "values"),),
    "helm.fluxcd.io": (("spec", "values"),),
    "helm.crossplane.io": (("spec", "forProvider", "values"),),
    "helm.cattle.io": (("spec", "set"),),
}
_TEXTS: dict[str, tuple[Path, ...]] = {"helm.cattle.io": (("spec", "valuesContent"),)}
_ARGO = "argoproj.io"
_ARGO_SPECS: tuple[Path, ...] = (("spec",), ("spec", "template", "spec"))


class ReleaseValues(NamedTuple):
    """Values of a release at ``path``: a mapping, a text of YAML, or one value of the name ``name``."""

    path: Path
    value: Any
    name: str = ""


class ApiService(View):
    """An APIService, by which the API server hands requests on to a Service."""

    __slots__ = ()
    KINDS = frozenset({("apiregistration.k8s.io", "APIService")})
    type_name = "Object"


class Monitor(View):
    """What tells Prometheus whom to read, by its operator (monitoring.coreos.com/v1, v1alpha1, v1beta1)."""

    __slots__ = ()
    KINDS = frozenset({
        ("monitoring.coreos.com", "ServiceMonitor"), ("monitoring.coreos.com", "PodMonitor"),
        ("monitoring.coreos.com", "Probe"), ("monitoring.coreos.com", "ScrapeConfig"),
    })  # fmt: skip
    type_name = "Object"


class ArgoProject(View):
    """An AppProject of Argo CD."""

    __slots__ = ()
    KINDS = frozenset({("argoproj.io", "AppProject")})
    type_name = "Object"


class Release(View):
    """What has a controller render a chart with values that stand in it: of Flux, Argo CD, k3s and Crossplane."""

    __slots__ = ()
    KINDS = frozenset({
        ("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.fluxcd.io", "HelmRelease"),
        ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"),
        ("helm.cattle.io", "HelmChart"), ("helm.cattle.io", "HelmChartConfig"),
        ("helm.crossplane.io", "Release"),
    })  # fmt: skip
    type_name = "Object"

    @property
    def values(self) -> Iterator[ReleaseValues]:
        """What its chart is rendered with, as far as it stands in the object; in any shape."""
        group = self.object.group
        places = [*_MAPPINGS.get(group, ()), *_TEXTS.get(group, ())]
        for helm in self._argo() if group == _ARGO else ():
            places += [(*helm, "valuesObject"), (*helm, "values")]
            yield from _parameters(self.data, (*helm, "parameters"))
        for place in places:
            value = value_at(self.data, place)
            if value is not None:
                yield ReleaseValues(place, value)

    def _argo(self) -> Iterator[Path]:
        """Where an Application says how helm renders its sources."""
        for base in _ARGO_SPECS:
            yield (*base, "source", "helm")
            sources = value_at(self.data, (*base, "sources"))
            for at, _ in enumerate(sources if isinstance(sources, list) else ()):
                yield (*base, "sources", at, "helm")


def _parameters(data: dict[str, Any], path: Path) -> Iterator[ReleaseValues]:
    """The values that a list of names and values sets."""
    parameters = value_at(data, path)
    for at, entry in enumerate(parameters if isinstance(parameters, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield ReleaseValues((*path, at, "value"), entry.get("value"), entry["name"])


class Helmfile(View):
    """A helmfile, which says what helm renders charts with."""

    __slots__ = ()
    NEEDS = "helmfiles"
    type_name = "Object"

    @classmethod
    def of_tree(cls, tree: Tree) -> list[Helmfile]:
        """Those of the given paths."""
        return [cls(item, item.path, item.data) for item in tree.helmfiles]

    def line(self, path: Path) -> int:
        """The line of ``path``: the file is none of the manifests, whose lines a run finds by itself."""
        piece = self.object.piece
        document, *below = (*self.path, *path)
        return piece.line + piece.read().line(int(document), tuple(below))

    @property
    def values(self) -> Iterator[ReleaseValues]:
        """What its charts are rendered with, as far as it stands in the file; in any shape.

        Source: helmfile.readthedocs.io (configuration): ``values`` and ``set`` of a release, ``values`` of the file and
        of each environment.
        """
        yield from self._inline(("values",))
        environments = value_at(self.data, ("environments",))
        for name in environments if isinstance(environments, dict) else ():
            yield from self._inline(("environments", name, "values"))
        releases = value_at(self.data, ("releases",))
        for at, _ in enumerate(releases if isinstance(releases, list) else ()):
            yield from self._inline(("releases", at, "values"))
            for key in ("set", "setString"):
                yield from _parameters(self.data, ("releases", at, key))

    def _inline(self, path: Path) -> Iterator[ReleaseValues]:
        """The maps among values, of which the others name files."""
        entries = value_at(self.data, path)
        for at, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield ReleaseValues((*path, at), entry)


class CiliumPolicy(View):
    """A network policy of Cilium."""

    __slots__ = ()
    KINDS = frozenset({("cilium.io", "CiliumNetworkPolicy"), ("cilium.io", "CiliumClusterwideNetworkPolicy")})
    type_name = "Object"


class CalicoPolicy(View):
    """A network policy of Calico."""

    __slots__ = ()
    KINDS = frozenset({
        ("projectcalico.org", "NetworkPolicy"), ("projectcalico.org", "GlobalNetworkPolicy"),
        ("crd.projectcalico.org", "NetworkPolicy"), ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    })  # fmt: skip
    type_name = "Object"


class ClusterPolicy(View):
    """A network policy of an administrator, for the whole cluster (policy.networking.k8s.io)."""

    __slots__ = ()
    KINDS = frozenset({
        ("policy.networking.k8s.io", "AdminNetworkPolicy"), ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    })  # fmt: skip
    type_name = "Object"


class PeerAuthentication(View):
    """What Istio asks of callers of a workload: TLS on both sides or not."""

    __slots__ = ()
    KINDS = frozenset({("security.istio.io", "PeerAuthentication")})
    type_name = "Object"


class MeshAuthorization(View):
    """An AuthorizationPolicy of Istio."""

    __slots__ = ()
    KINDS = frozenset({("security.istio.io", "AuthorizationPolicy")})
    type_name = "Object"


class PolicyException(View):
    """An exception from policies of Kyverno."""

    __slots__ = ()
    KINDS = frozenset({("kyverno.io", "PolicyException"), ("policies.kyverno.io", "PolicyException")})
    type_name = "Object"


class DeviceClaim(View):
    """A claim of devices, or the template of one (resource.k8s.io)."""

    __slots__ = ()
    KINDS = frozenset({("resource.k8s.io", "ResourceClaim"), ("resource.k8s.io", "ResourceClaimTemplate")})
    type_name = "Object"


class AuthorizationFile(View):
    """An AuthorizationConfiguration of the API server."""

    __slots__ = ()
    KINDS = frozenset({("apiserver.config.k8s.io", "AuthorizationConfiguration")})
    type_name = "Object"


class CredentialProviders(View):
    """A CredentialProviderConfig of the kubelet: the programs that it asks for logins of registries."""

    __slots__ = ()
    KINDS = frozenset({("kubelet.config.k8s.io", "CredentialProviderConfig")})
    type_name = "Object"


class Gateway(View):
    """A Gateway of the Gateway API."""

    __slots__ = ()
    KINDS = frozenset({("gateway.networking.k8s.io", "Gateway")})
    type_name = "Object"


class ReferenceGrant(View):
    """A ReferenceGrant of the Gateway API: who may name objects of its namespace from another one."""

    __slots__ = ()
    KINDS = frozenset({("gateway.networking.k8s.io", "ReferenceGrant")})
    type_name = "Object"


class BackendTls(View):
    """How a gateway, or a proxy of a mesh, speaks TLS to the servers behind it."""

    __slots__ = ()
    KINDS = frozenset({
        ("gateway.networking.k8s.io", "BackendTLSPolicy"), ("gateway.envoyproxy.io", "Backend"),
        ("traefik.io", "ServersTransport"), ("traefik.containo.us", "ServersTransport"),
        ("traefik.io", "ServersTransportTCP"), ("networking.istio.io", "DestinationRule"),
    })  # fmt: skip
    type_name = "Object"


class StorageClass(View):
    """A StorageClass."""

    __slots__ = ()
    KINDS = frozenset({("storage.k8s.io", "StorageClass")})
    type_name = "Object"
