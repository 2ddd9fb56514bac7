"""What works with the token of a pod without standing in its manifest, and which setting makes that needless.

Sidecars that a webhook adds, operators that make the pods of an object, and programs that do what other people tell
them. A row names its source, and the version or commit that the fact is from or begins with.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from hardener.support.data_path import Path, value_at

_TRUE = frozenset({"true", "1", "t", "yes", "y", "on"})
_NOT_ASKING = frozenset({"false", "disabled", "no", "off"})
_ENABLED = frozenset({"enabled", "ingress"})


class Setting(Struct, frozen=True):
    """An annotation that makes the token needless: where it has one of ``values``, or any value but ``other_than``."""

    key: str
    values: frozenset[str] = frozenset()
    other_than: frozenset[str] = frozenset()

    def holds(self, value: str | None) -> bool:
        """Whether an annotation of this ``value`` does; None where there is none."""
        if value is None:
            return False
        return value.lower() in self.values if self.values else value.lower() not in self.other_than


class OwnToken(Struct, frozen=True):
    """That a sidecar comes with a bound token of its own: from version ``since`` (None: every one that is in use), told
    by the annotation ``version_key``. ``off`` are values of its chart that say it has none."""

    since: tuple[int, int] | None = None
    version_key: str = ""
    off: tuple[tuple[Path, Any], ...] = ()


class Sidecar(Struct, frozen=True):
    """A container that a webhook adds to a pod and that works with its token.

    - ``keys``: labels or annotations that ask for it, with one of ``asking`` (any value where that is empty); those of
      the Namespace count too where it is ``by_namespace``.
    - ``does``: what it does with the token. ``needless``: annotations beside which it does not, or has another.
    - ``instead``: what a person does to spare the token, if anything.
    """

    keys: tuple[str, ...]
    asking: frozenset[str]
    does: str
    instead: str
    source: str
    version: str
    needless: tuple[Setting, ...] = ()
    by_namespace: bool = False
    own: OwnToken | None = None

    def is_asked_by(self, value: str) -> bool:
        """Whether one of ``keys`` with this ``value`` asks for it."""
        return value.lower() in self.asking if self.asking else value.lower() not in _NOT_ASKING


_INTO_POD = "mount a projected token at the path of the default one, in each container that needs it"

# The two webhooks of Bank-Vaults: the prefix of their annotations, the store, what stands before names of its own.
_BANK_VAULTS = (
    ("vault.security.banzaicloud.io", "vault", "", "vault-env",
     "github.com/bank-vaults/vault-secrets-webhook, pkg/common/common.go, and its page of annotations", "7fdb7b1"),
    ("secrets-webhook.security.bank-vaults.io", "vault", "vault-", "secret-init",
     "github.com/bank-vaults/secrets-webhook, pkg/common/common.go", "2024"),
    ("secrets-webhook.security.bank-vaults.io", "bao", "bao-", "secret-init",
     "github.com/bank-vaults/secrets-webhook, pkg/common/common.go", "2024"),
)  # fmt: skip

SIDECARS: tuple[Sidecar, ...] = (
    Sidecar(
        ("vault.hashicorp.com/agent-inject",), _TRUE,
        "the injected Vault agent logs in with the token",
        "mount a projected token, name its volume in vault.hashicorp.com/agent-service-account-token-volume-name",
        "developer.hashicorp.com/vault, Vault Agent Injector annotations", "vault-k8s 1.0",
        needless=(
            Setting("vault.hashicorp.com/auth-type", other_than=frozenset({"", "kubernetes"})),
            Setting("vault.hashicorp.com/agent-service-account-token-volume-name", other_than=frozenset({""})),
        ),
    ),
    *(
        Sidecar(
            (f"{prefix}/{store}-addr",), frozenset(),
            f"the injected {program} logs in with the token",
            f"mount a projected token, name its volume in {prefix}/{own}service-account-token-volume-name",
            source, version,
            needless=(
                Setting(f"{prefix}/{store}-auth-method", other_than=frozenset({"", "jwt", "kubernetes", "namespaced"})),
                Setting(f"{prefix}/{own}service-account-token-volume-name", other_than=frozenset({""})),
                Setting(f"{prefix}/{own}token-auth-mount", other_than=frozenset({""})),
            ),
        )
        for prefix, store, own, program, source, version in _BANK_VAULTS
    ),
    Sidecar(
        ("consul.hashicorp.com/connect-inject",), _TRUE,
        "the injected Consul sidecar logs in with the token",
        _INTO_POD,
        "github.com/hashicorp/consul-k8s, control-plane/connect-inject (refuses a pod without its mount)",
        "0.26 to 1.6",
    ),
    Sidecar(
        ("dapr.io/enabled",), _TRUE,
        "the injected Dapr sidecar reads Secrets with the token (its built-in secret store)",
        'set dapr.io/disable-builtin-k8s-secret-store: "true" if no program asks it for Secrets of Kubernetes',
        "docs.dapr.io, Dapr arguments and annotations", "the setting since 1.8, and for components since 1.9.5",
        needless=(Setting("dapr.io/disable-builtin-k8s-secret-store", values=_TRUE),),
    ),
    Sidecar(
        ("kuma.io/sidecar-injection",), frozenset({"enabled", "true"}),
        "the injected Kuma sidecar shows the token to its control plane",
        "mount a projected token, name its volume in kuma.io/service-account-token-volume",
        "kuma.io, Kubernetes annotations; developer.konghq.com/mesh, Data plane proxy authentication", "1.8 to 2.13",
        needless=(Setting("kuma.io/service-account-token-volume", other_than=frozenset({""})),),
        by_namespace=True,
    ),
    Sidecar(
        ("linkerd.io/inject",), _ENABLED,
        "Linkerd before 2.12 logs in with this token",
        "install Linkerd 2.12 or later with identity.serviceAccountTokenProjection, where its proxies bring their own",
        "github.com/linkerd/linkerd2, issue 6862 and charts/linkerd-control-plane/values.yaml", "2.12",
        by_namespace=True,
        own=OwnToken(
            since=(2, 12), version_key="config.linkerd.io/proxy-version",
            off=((("identity", "serviceAccountTokenProjection"), False),),
        ),
    ),
    Sidecar(
        ("sidecar.istio.io/inject", "istio-injection", "istio.io/rev"), frozenset(),
        "the Istio sidecar logs in with the token of the pod",
        "install Istio with global.jwtPolicy: third-party-jwt, where its sidecars bring a token of their own",
        "istio.io, Security best practices (third party service account tokens), and issues 14311 and 22193",
        "1.5: a token of its own is the default",
        by_namespace=True,
        own=OwnToken(off=((("global", "jwtPolicy"), "first-party-jwt"), (("global", "sds", "enabled"), False))),
    ),
)  # fmt: skip
"""Sidecars that log in, or read the API, with the token of the pod."""

SIDECAR_KEYS: frozenset[str] = frozenset(key for row in SIDECARS for key in row.keys)
"""The labels and annotations that ask for one of them."""


class Operated(Struct, frozen=True):
    """An object of whose pods the operator, or a container that it adds, works with their token.

    - ``kinds`` of ``group``; ``part`` is the name in the path of the pod that does, "" for all. ``versions`` are
      beginnings of those that do, () for all.
    - ``accounts``: where the object names the account of its pods; they run as `default` where it names none.
    - ``needless``: fields with which they do not need it, each with the value (None: any).
    """

    group: str
    kinds: frozenset[str]
    does: str
    instead: str
    source: str
    version: str
    part: str = ""
    versions: tuple[str, ...] = ()
    accounts: tuple[Path, ...] = ()
    needless: tuple[tuple[Path, Any], ...] = ()

    def is_of(self, document: Mapping[str, Any]) -> bool:
        """Whether ``document`` is such an object, and none of ``needless`` is set in it."""
        group, _, version = str(document.get("apiVersion")).rpartition("/")
        if group != self.group or document.get("kind") not in self.kinds:
            return False
        if self.versions and not version.startswith(self.versions):
            return False
        return not any(_is_set(document, path, value) for path, value in self.needless)


def _is_set(document: Mapping[str, Any], path: Path, value: Any) -> bool:
    found = value_at(document, path)
    return found is not None if value is None else found is value


_ACCOUNT = "serviceAccountName"
_AUTOMOUNT = "automountServiceAccountToken"

OPERATED: tuple[Operated, ...] = (
    Operated(
        "kubeflow.org", frozenset({"MPIJob"}),
        "the launcher of an MPIJob starts its workers by kubectl exec, with the token",
        "use kubeflow.org/v2beta1, which starts them by SSH",
        "github.com/kubeflow/mpi-operator v1 (kubectl-delivery, kubexec.sh), and proposals/scalable-robust-operator",
        "v1 and before",
        part="Launcher", versions=("v1",),
    ),
    Operated(
        "argoproj.io", frozenset({"Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"}),
        "the executor in each pod of a workflow reports with the token",
        "name an account for it in spec.executor.serviceAccountName",
        "argo-workflows.readthedocs.io, Service accounts and Workflow RBAC", "3.6",
        accounts=(("spec", _ACCOUNT), ("spec", "workflowSpec", _ACCOUNT)),
        needless=((("spec", "executor", _ACCOUNT), None), (("spec", "workflowSpec", "executor", _ACCOUNT), None)),
    ),
    Operated(
        "tekton.dev", frozenset({"TaskRun", "PipelineRun"}),
        "the steps of a Tekton run log in with the token of their pod",
        f"set {_AUTOMOUNT}: false in its podTemplate if no step does",
        "github.com/tektoncd/pipeline, docs/podtemplates.md (automountServiceAccountToken)", "v1, 04e5757",
        accounts=(("spec", _ACCOUNT), ("spec", "taskRunTemplate", _ACCOUNT)),
        needless=(
            (("spec", "podTemplate", _AUTOMOUNT), False),
            (("spec", "taskRunTemplate", "podTemplate", _AUTOMOUNT), False),
        ),
    ),
    Operated(
        "triggers.tekton.dev", frozenset({"EventListener"}),
        "the listener of Tekton reads triggers and makes runs with the token",
        "", "tekton.dev, Triggers, EventListeners (serviceAccountName, required), and issue 68 of its source", "v0.24",
        accounts=(("spec", _ACCOUNT),),
    ),
    Operated(
        "spinnaker.io", frozenset({"SpinnakerService"}),
        "Clouddriver of Spinnaker deploys with the token where its account says serviceAccount: true",
        "", "Halyard commands (--service-account); github.com/armory/spinnaker-operator, doc/options.md", "v0.6.1",
        accounts=(("spec", "spinnakerConfig", "service-settings", "clouddriver", "kubernetes", _ACCOUNT),),
    ),
)  # fmt: skip
"""Objects of operators whose pods need the token for what the operator makes them do."""


def runs_as_default(document: Mapping[str, Any]) -> bool:
    """Whether the pods of a custom resource work with the token of the account `default`: it names none for them."""
    return any(
        row.accounts and row.is_of(document) and all(value_at(document, path) is None for path in row.accounts)
        for row in OPERATED
    )


class Program(Struct, frozen=True):
    """Images (globs over the repository) that do with the token what other people tell them."""

    images: tuple[str, ...]
    does: str
    source: str
    version: str


PROGRAMS: tuple[Program, ...] = (
    Program(
        ("*/clouddriver", "*/halyard", "*/spinnaker-operator"),
        "Spinnaker deploys with the token where its account says serviceAccount: true",
        "Halyard commands (--service-account: only where Spinnaker runs in Kubernetes)", "1.17",
    ),
    Program(
        ("*/jenkins", "*/jenkins-*-master", "*/jenkins-master"),
        "Jenkins starts its agents with the token (Kubernetes plugin)",
        "github.com/jenkinsci/kubernetes-plugin, README (without a URL, its service account connects)", "00399d0",
    ),
    Program(
        ("*/jenkins/*agent*", "*/inbound-agent", "*/jnlp-slave", "*/jnlp-agent-*",
         "*/jenkins-agent*", "*/jenkins-slave*", "*/jenkins-*-agent*"),
        "an agent of Jenkins runs the steps of pipelines, which may log in with the token",
        "github.com/jenkinsci/kubernetes-plugin, README (podTemplate, serviceAccount)", "00399d0",
    ),
    Program(
        ("*/argoexec",), "the executor of Argo Workflows reports with the token",
        "argo-workflows.readthedocs.io, Workflow RBAC", "3.6",
    ),
)  # fmt: skip
"""Programs of which neither the image nor the manifest tells what they do with the token."""


def program(repository: str) -> Program | None:
    """The row of an image ``repository``; None for nearly all."""
    return next((row for row in PROGRAMS if any(fnmatchcase(repository, glob) for glob in row.images)), None)
