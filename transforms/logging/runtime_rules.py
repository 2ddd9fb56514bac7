"""K10: what reports at run time that a hardened workload does what it never does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.errors import InputError
from hardener.facts.objects.namespace_contents import Namespaces
from hardener.kubernetes.policies.runtime_rules import falco_rules, tetragon_policies
from hardener.tree.core_views import Namespace

_ENGINES = ("none", "falco", "tetragon")
_FOLLOW_UP = {
    "falco": "give falco-rules.yaml to Falco: helm upgrade falco falcosecurity/falco --reuse-values"
    " --set-file 'customRules.harden\\.yaml=falco-rules.yaml'",
    "tetragon": "kubectl apply -f tetragon-policies.yaml, and send the events of Tetragon to where somebody looks",
}


@dataclass(frozen=True)
class Runtime:
    """``rules``: whose rules are written, "falco", "tetragon" or "none"."""

    GROUP: ClassVar[str] = "runtime"
    rules: str = "none"

    def __post_init__(self) -> None:
        if self.rules not in _ENGINES:
            raise InputError(f"runtime.rules: {self.rules} is none of {', '.join(_ENGINES)}")


@transform(each=Namespace, stage="logging", severity=Severity.LOW, options=Runtime)
def runtime_rules(namespace: Namespace, options: Runtime) -> Steps:
    """Add runtime detection rules.

    Problem: no Falco or Tetragon rules cover the namespace.

    Result: Falco or Tetragon reports what no hardened workload does (option `runtime.rules`).

    Why: an intruder first opens a shell in a container, reads the token of the account, or calls the metadata service
    of the cloud. Prevention alone does not show who tried.

    May break: nothing, since the rules only report. Expect reports of kubectl exec, too.
    """
    if options.rules == "none":
        return

    tree = namespace.tree
    names = sorted(name for name, space in tree.ask(Namespaces).items() if name and space.pods and _is_ours(name))
    if options.rules == "falco" and not names:
        message = "Falco needs to know which namespaces are hardened, and no workload of the tree names its own"
        advice = "name the namespace in the manifests, the kustomization, or in .harden.yaml"
        yield namespace.finding(message, advice=advice, severity=Severity.LOW, once="runtime-rules")
        return
    text = falco_rules(names) if options.rules == "falco" else tetragon_policies()
    file = "falco-rules.yaml" if options.rules == "falco" else "tetragon-policies.yaml"
    fact = namespace.fact(f"runtime.rules asks for {options.rules}")
    found = verdict(known=[fact], basis=Basis.PROVED)
    yield from namespace.host_file(file, text, follow_up=(_FOLLOW_UP[options.rules],), **found.words)


def _is_ours(name: str) -> bool:
    """Whether a namespace has a name, and holds no parts of the cluster: there people do open shells."""
    return "$" not in name and not name.startswith("kube-")
