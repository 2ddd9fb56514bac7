"""The marks of Checkov in Terraform: ``# checkov:skip=CKV_AWS_79: reason`` inside of a block.

(checkov.io, "Suppressing and skipping policies"; a mark outside of the block means nothing to it.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardener.engine.waivers.waiver import Collection, Waiver
from hardener.sources.manifests import Piece
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.sources.manifests import Parsed

_MARK = re.compile(r"#\s*checkov:skip=(\w+)(?::\s*(.*))?")
_CHECKS = {
    "CKV_AWS_37": "tf-eks-log-types",
    "CKV_AWS_38": "tf-eks-endpoint",
    "CKV_AWS_39": "tf-eks-endpoint",
    "CKV_AWS_58": "tf-eks-encryption",
    "CKV_AWS_79": "tf-imds-tokens",
    "CKV_AWS_274": "tf-node-admin-detach",
    "CKV_AWS_341": "tf-imds-hop",
    "CKV_AZURE_141": "tf-aks",
    "CKV_GCP_1": "gke-logging",
    "CKV_GCP_7": "tf-gke",
    "CKV_GCP_13": "tf-gke",
    "CKV_GCP_69": "tf-gke",
}


def read(piece: Piece, parsed: Parsed, block: Object, found: Collection) -> None:
    """Add the marks in ``block``, all of ``piece`` but the lines before it, to ``found``."""
    for comment in parsed.comments():
        said = _MARK.search(comment.text)
        id = _CHECKS.get(said[1]) if said is not None else None
        if said is None or id is None or comment.line < parsed.line(0, ()):
            continue
        reason = (said[2] or "").strip() or f"checkov:skip={said[1]}"
        line = piece.line + comment.line
        found.waivers.append(
            Waiver(
                said[1], frozenset({id}), reason, "checkov", [(piece, block.path)], piece.file.name, line, piece,
                block.path, block,
            )
        )  # fmt: skip
