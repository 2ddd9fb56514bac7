"""K03: volumes are encrypted."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.addon_views import StorageClass

# Drivers that encrypt or not by a parameter. Source: the parameters of aws-ebs-csi-driver, aws-efs-csi-driver,
# alibaba-cloud-csi-driver and the in-tree plugin of AWS.
_SWITCHED = frozenset({
    "ebs.csi.aws.com", "efs.csi.aws.com", "kubernetes.io/aws-ebs", "diskplugin.csi.alibabacloud.com",
    "ebs.csi.eks.amazonaws.com",
})  # fmt: skip


@transform(each=StorageClass, stage="secrets", severity=Severity.MEDIUM, only_reports=True)
def unencrypted_storage(storage: StorageClass) -> Steps:
    """Encrypt volumes of a StorageClass.

    Problem: the StorageClass makes volumes without encryption.

    Result: The StorageClass makes encrypted volumes.

    Why: whoever gets a snapshot or a copy of an unencrypted disk can read it.

    May break: nothing, since it only reports: the parameters of a StorageClass are immutable, so create a new class;
    existing volumes stay as they are.
    """
    encrypted = storage.get("parameters", "encrypted")
    if storage.text("provisioner") not in _SWITCHED or str(encrypted).lower() != "false":
        return
    yield storage.finding(
        f"volumes of {storage.object} are not encrypted",
        "parameters",
        "encrypted",
        advice='make a class with encrypted: "true" (kmsKeyId names a key of your own), and move the claims to it',
    )
