from __future__ import annotations

import re

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import ConfigMap

_ENTRY = r"(?im)^[^\S\n]*+-\s+(?=\w+arn|\{|groups|username)"
_ARN = re.compile(r"(?:rolearn|userarn|roleARN|userARN)[\"']?\s*:\s*[\"']?([^\s\"',}]+)")


@transform(each=ConfigMap, stage="cloud", severity=Severity.CRITICAL, only_reports=True)
def aws_auth_masters(config: ConfigMap) -> Steps:
    """Remove system:masters from aws-auth.

    Problem: an AWS identity is in the group system:masters.

    Result: No AWS identity is in the group system:masters.

    Why: the API server skips RBAC for this group, so its rights cannot be restricted or revoked, and whoever takes over
    the AWS role controls the cluster.

    May break: nothing, since it only reports: only its owner knows who administers the cluster.
    """
    if config.object.name != "aws-auth" or config.object.namespace != "kube-system":
        return
    for key in ("mapRoles", "mapUsers"):
        text = config.text("data", key) or ""
        if "system:masters" not in text:
            continue
        entries = re.split(_ENTRY, text)
        names = [found[1] for entry in entries if "system:masters" in entry and (found := _ARN.search(entry))]
        message = f"{', '.join(names) or 'an identity of AWS'} is in system:masters, to which RBAC does not apply"
        advice = (
            "write an access entry of EKS with AmazonEKSClusterAdminPolicy for those who administer, groups "
            "with rules of RBAC for all others, then remove it here"
        )
        yield config.finding(message, "data", key, advice=advice, severity=Severity.CRITICAL)
