"""K03: values of a chart hold no credentials."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.secrets.secret_values import SecretClass, classify, found_secrets
from hardener.support.data_path import Path
from hardener.tree.addon_views import Helmfile, Release

_FROM = {
    "helm.toolkit.fluxcd.io": "spec.valuesFrom (kind: Secret)",
    "helm.fluxcd.io": "spec.valuesFrom (secretKeyRef)",
    "helm.crossplane.io": "spec.forProvider.set[].valueFrom.secretKeyRef",
    "helm.cattle.io": "spec.valuesSecrets",
    "argoproj.io": "a Secret that the chart takes by name (existingSecret), or a plugin that fetches it",
}

_BY_HELMFILE = "secrets of the release (a file that SOPS encrypts) or {{ requiredEnv ... }}"


@transform(each=Release | Helmfile, stage="secrets", severity=Severity.HIGH, cis="5.4.1", only_reports=True)
def release_values_secret(release: Release | Helmfile) -> Steps:
    """Move credentials out of release values.

    Problem: the values of the chart release hold a credential.

    Result: The values of the chart release hold no credentials.

    Why: whoever may read the repository, or the release object in the cluster, can read the password.

    May break: nothing, since it only reports: the chart says which of its values may come from a Secret.
    """
    for path, name in _found(release):
        yield release.finding(
            f"value {name} holds a credential in clear text",
            *path,
            advice=f"give it by {_way(release)}, and rotate it",
            severity=Severity.HIGH,
            topic="credential in the values of a chart",
            line=release.line(path) if isinstance(release, Helmfile) else 0,
        )


def _way(release: Release | Helmfile) -> str:
    return _BY_HELMFILE if isinstance(release, Helmfile) else _FROM[release.object.group]


def _found(release: Release | Helmfile) -> Iterator[tuple[Path, str]]:
    """Where a credential stands, and under which name."""
    for path, value, name in release.values:
        if name:
            if any(found_secrets({name.rpartition(".")[2]: value})):
                yield path, name
        elif isinstance(value, str):
            if classify(str(path[-1]), value)[0] is SecretClass.SUSPECT:  # a file that holds one
                yield path, str(path[-1])
        else:
            for found in found_secrets(value):
                yield (*path, *found.path), ".".join(map(str, found.path))
