"""Labels of pods that no selector may rely on: they change with a release, are written by a controller, or are a mark
for a scanner.

Sources: "Recommended Labels" and "Well-Known Labels, Annotations and Taints" of the Kubernetes documentation; Helm,
"Labels and Annotations" (helm.sh/chart holds the version); Argo Rollouts, "Specification"; of marks, the page of each
scanner about exceptions.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Written by controllers, for one revision or one pod.
_CONTROLLERS = frozenset({
    "pod-template-hash", "controller-revision-hash", "pod-template-generation", "controller-uid", "job-name",
    "rollouts-pod-template-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
})  # fmt: skip
_JOBS = "batch.kubernetes.io/"
_OLD_MARK = "kubeaudit.allow."  # its first releases had no domain
# Labels that tell a scanner, harden among them, to leave something alone: the domain, or one below it.
_MARKS = (
    "hardener.dev",
    "kubeaudit.io",
    "audit.kubernetes.io",
    "kube-linter.io",
    "checkov.io",
    "polaris.fairwinds.com",
)
# The last word of a key that says which release this is; a word that only numbers it may stand behind.
_RELEASE = frozenset({
    "version", "revision", "rev", "chart", "commit", "sha", "hash", "checksum", "digest", "build", "date", "timestamp",
    "deployed", "updated", "restarted",
})  # fmt: skip
_NUMBERS = frozenset({"id", "number", "no", "at"})
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_VALUE = re.compile(
    r"v?\d++\.\d++([-+._][A-Za-z0-9.+_-]*+)?"  # 1.4.0-rc.1
    r"|[0-9a-f]{40}|[0-9a-f]{64}"  # a commit, a digest
    r"|20\d\d-?[01]\d-?[0-3]\d([T._-]?[\dT:._Z-]*)?"  # a date
    r"|1\d{9}(\d{3})?"  # seconds, milliseconds
)


def stays(key: str, value: str) -> bool:
    """Whether the label ``key: value`` says what a pod is, whatever release of it runs."""
    return not _passes(key) and _VALUE.fullmatch(value) is None


@lru_cache(maxsize=256)  # a tree has few keys
def _passes(key: str) -> bool:
    """Whether a label with this key says nothing of what a pod is, whatever its value."""
    domain, _, name = key.rpartition("/")
    if key in _CONTROLLERS or key.startswith((_JOBS, _OLD_MARK)):
        return True
    if any(domain == mark or domain.endswith(f".{mark}") for mark in _MARKS):
        return True
    words = [word.lower() for word in _WORDS.findall(name)]
    while len(words) > 1 and words[-1] in _NUMBERS:
        words.pop()
    return bool(words) and words[-1] in _RELEASE
