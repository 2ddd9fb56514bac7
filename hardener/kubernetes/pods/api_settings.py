"""What in a file of settings shows that its reader is a client of the Kubernetes API.

What commands, arguments and env show is told by `command_evidence`; this adds what only files say.
"""

from __future__ import annotations

import re

from hardener.kubernetes.pods.command_evidence import api_mentions
from hardener.kubernetes.pods.shell import unique

# A short name, a word in lower case without which the pattern cannot match, and the pattern. Sources: the documentation
# of each project; the sign is of a part of it that does nothing without the API.
_SIGNS = (
    ("in-cluster", "cluster", r"\bin[-_]?cluster(?:[-_]?config)?[\"']?[ \t]*[:=][ \t]*[\"']?(?:true|yes|on|1)\b"),
    ("auth_type serviceAccount", "auth", r"\bauth_?type[\"']?[ \t]*[:=][ \t]*[\"']?serviceAccount\b"),
    ("k8s://", "k8s://", r"\bk8s://"),  # the master of Spark
    ("kubectl", "kubectl", r"^[^#\n]*\bkubectl[ \t]+[-a-z]"),  # in a script
    ("CoreDNS kubernetes", "kubernetes", r"^[ \t]*kubernetes[ \t]+(?:cluster\.local\b|\S+[ \t]+in-addr\.arpa\b)"),
    ("Traefik kubernetes provider", "kubernetes", r"\bkubernetes(?:CRD|Ingress|Gateway)\b"),
    ("Fluent Bit kubernetes filter", "kubernetes", r"^[ \t]*(?:-[ \t]+)?name[: \t]+kubernetes[ \t]*$"),
    ("Fluentd kubernetes_metadata", "kubernetes_metadata", r"\bkubernetes_metadata\b"),
    ("Vector kubernetes_logs", "kubernetes_logs", r"\bkubernetes_logs\b"),
    ("OpenTelemetry k8s", "k8s", r"\bk8s(?:_?attributes|objects|_(?:cluster|events|observer|leader_elector))\b"),
    ("OpenTelemetry kubeletstats", "kubeletstats", r"\bkubeletstats\b"),
    ("Telegraf kubernetes input", "inputs.kube", r"\binputs\.kube(?:rnetes|_inventory)\b"),
)  # fmt: skip


def api_settings(text: object) -> list[str]:
    """The signs that a text holds, by short names ("kubernetes_sd_configs", "in-cluster"); [] for what is no text."""
    if not isinstance(text, str):
        return []
    lower = text.lower()
    found = api_mentions(text)
    # Patterns are compiled when first needed: most texts have none of the words.
    found += (name for name, word, sign in _SIGNS if word in lower and re.search(sign, text, re.I | re.M))
    return unique(found)
