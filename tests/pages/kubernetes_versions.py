"""The page of what came to Kubernetes and went, by version."""

from __future__ import annotations

from tests.kubernetes_versions import ROWS, VERSIONS, Row
from tests.pages.markdown import HEAD, plain, table

_KEPS = "https://github.com/kubernetes/enhancements/issues/"
_TEST = "tests/test_kubernetes_versions.py"
_HEAD = (
    "# Kubernetes 1.33 to 1.37",
    "",
    "Fields and kinds that came, went or changed their stage in these versions and that matter to security, and what",
    "harden does with each. `--kubernetes-version` says which version a cluster has; 1.36 is assumed. A field that the",
    "version has not is a finding, `unknown-field`, whether it is here or not.",
    "",
    "`beta, off` has to be asked for by a feature gate, and so has `alpha`; `-` is not there yet, and `?` was not",
    f"looked up. Each row is tried by `{_TEST}`; the column 1.36 is compared with a real API server.",
    "",
)


def page() -> str:
    """The text of docs/reference/kubernetes-versions.md."""
    head = ("what", "KEP", *VERSIONS, "what harden does")
    return "\n".join([HEAD, "", *_HEAD, *table(head, map(_row, ROWS))]).rstrip("\n") + "\n"


def _row(row: Row) -> tuple[str, ...]:
    kep = f"[{row.kep}]({_KEPS}{row.kep})" if row.kep else ""
    rules = ", ".join(f"[`{id}`](../transforms/{id}.md)" for id in row.rules)
    return plain(row.name), kep, *row.stages, plain(row.does) + (f": {rules}" if rules else "")
