"""Audit logs, in the forms that ``--audit-log`` takes: events of the API server, CloudWatch around them, Cloud Audit
Logs."""

from __future__ import annotations

from typing import Any

import msgspec

from hardener.exports.audit_log.event import requests
from hardener.exports.collector import Collector
from hardener.exports.shapes import text

TOOL = "audit log"


def is_entry(document: dict[str, Any]) -> bool:
    """Whether it is an event of audit.k8s.io, or an entry of a log service that may hold one."""
    if text(document, "apiVersion").startswith("audit.k8s.io/") or {"stage", "auditID"} <= document.keys():
        return True
    return any(key in document for key in ("protoPayload", "@message")) or (
        "message" in document and not document.keys() & {"kind", "flow"}
    )


def read_entry(document: dict[str, Any], into: Collector) -> None:
    """Put in the requests of an entry. Raises NotAnEventError for one of another log."""
    for request in requests(msgspec.json.encode(document)):
        into.put_request(into.source(TOOL, request.time), request)
