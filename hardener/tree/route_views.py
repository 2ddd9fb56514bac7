"""What opens Services to the outside, as a view."""

from __future__ import annotations

from hardener.kubernetes.network.ingress import OPENINGS, Backend, backends, guards, hosts, only_redirects
from hardener.tree.view import View


class Ingress(View):
    """An Ingress, or what does its work: a route or gateway of Gateway API, OpenShift, Istio, Traefik or Contour."""

    __slots__ = ()
    KINDS = OPENINGS
    type_name = "Object"

    @property
    def names(self) -> tuple[str, str]:
        """API group and kind, which tell what stands in it."""
        return self.object.group, self.object.kind

    @property
    def backends(self) -> list[Backend]:
        """The Services that it opens to the outside."""
        return list(backends(*self.names, self.data))

    @property
    def hosts(self) -> list[str]:
        """The host names that it answers to."""
        return hosts(self.data)

    @property
    def guards(self) -> list[str]:
        """The names of what it puts before its backends, in its spec."""
        return list(guards(self.data))

    @property
    def only_redirects(self) -> bool:
        """Whether it is a route of the Gateway API that sends all its callers to HTTPS."""
        return only_redirects(self.data)
