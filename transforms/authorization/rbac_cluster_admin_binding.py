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

    Why: a pod that runs as this service account owns the whole cluster, so that any bug that lets somebody run code
    in it becomes full takeover; bound to one namespace it reaches only what is known, or stated to be assumed.

    May break: what the account did beyond that is refused from the moment the old binding is deleted; where no audit
    log shows its use, the rights are an assumption.
    """
    if binding.owner is not None:
        return
    source = binding.everything
    if source is not None:
        yield from reduced(binding, source, options)
    else:
        yield from extended(binding, prune=options.prune_managed, expand=options.audit_expand)
