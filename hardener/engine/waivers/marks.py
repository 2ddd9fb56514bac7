"""The texts by which a file that holds a waiver is known, before anything that reads waivers is loaded."""

PREFIX = "hardener.dev/"
"""Of our annotations."""

COMMENT = "harden:"
"""In a comment of ours."""

PEERS = (
    "kube-linter.io/", "checkov.io/skip", "polaris.fairwinds.com/", "kubeaudit.io/", "audit.kubernetes.io/",
    "kubeaudit.allow.", "kube-score/ignore",
)  # fmt: skip
"""In annotations and labels of other scanners."""

KYVERNO = "PolicyException"
"""In an exception from policies of Kyverno."""

CHECKOV = "checkov:skip="
"""In a comment of Checkov's inside of a block."""

KUBESCAPE = "postureExceptionPolicy"
"""In a file of exceptions of Kubescape."""
