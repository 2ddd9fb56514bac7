from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Binding

from ._administrators import reduced
from ._managed import extended
from ._options import Rbac


@transform(each=Binding, stage="authorization", severity=Severity.HIGH, cis="5.1.1", options=Rbac)
def rbac_cluster_admin_binding(binding: Binding, options: Rbac) -> Steps:
    """Replace cluster-admin with the rights that are needed.

    Problem: the binding gives administrator rights to a service account that needs less.

    Result: The service account has only the rights that it is known to need.

    Why: a pod that runs as this service account controls the whole cluster, so any bug that lets somebody run code in
    the pod gives them the cluster. The new role has only the rights that are known to be used, or that the report names
    as assumed.

    May break: all other requests of the account are refused once the old binding is deleted; where no audit log shows
    its use, the rights are an assumption.
    """
    if binding.owner is not None:
        return
    source = binding.everything
    if source is not None:
        yield from reduced(binding, source, options)
    else:
        yield from extended(binding, prune=options.prune_managed, expand=options.audit_expand)
