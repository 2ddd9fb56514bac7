from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import Kustomization


@transform(each=Kustomization, stage="secrets", severity=Severity.CRITICAL, cis="5.4.2", only_reports=True)
def secret_generator_literals(kustomization: Kustomization) -> Steps:
    """Move generated credentials out of Git.

    Problem: the kustomization generates an object from a credential in Git.

    Result: The kustomization generates nothing from credentials in Git.

    Why: the repository holds the literals, and the files that it names, as plain text; the Secret that is generated
    from them hides nothing.

    May break: nothing, since it only reports: first decide where kustomize gets the values from instead.
    """
    for place in kustomization.secrets():
        text = f"{place.generator} {place.name}: {place.what}"
        advice = (
            "take it from a store with an ExternalSecret, encrypt the file (SOPS), or make it in the pipeline"
            " and keep it out of Git; rotate it: the Git history keeps it"
        )
        yield kustomization.finding(text, *place.path, advice=advice, severity=Severity.CRITICAL)
