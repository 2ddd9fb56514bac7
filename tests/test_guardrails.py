"""Where policies are written, by which engine, and that none refuses what the tree shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.access.admission.guardrails import Guardrails
from hardener.facts.access.makers import PodMakers
from hardener.tree.tree import Settings, Tree
from tests.cel import refused
from tests.conftest import ROOT, Harden, commit, shared, write

pytestmark = pytest.mark.slow  # its many cases together

CASES = sorted(path.parent for path in (ROOT / "golden").glob("*/*/*/after/**/harden-policies.yaml"))
POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-team}
spec:
  rules:
  - name: team
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate: {failureAction: Audit, message: team, pattern: {metadata: {labels: {team: "?*"}}}}
"""
VAP = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: team}
spec: {matchConstraints: {}, validations: [{expression: "true"}]}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: kyverno, namespace: kyverno}
spec: {chart: {spec: {chart: kyverno, version: 3.3.7}}}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: kyverno, namespace: argocd}
spec:
  source: {chart: kyverno, repoURL: https://kyverno.github.io/kyverno, targetRevision: 3.6.1}
  destination: {namespace: kyverno}
"""
SHOP = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
RUN = "kubectl run a --image=b --privileged\n"


def tree(folder: Path, files: dict[str, str], paths: tuple[str, ...] = (".",), engine: str | None = None) -> Any:
    write(folder, files)
    settings = Settings(policy_engine=engine)
    return Tree.read([str((folder / path).resolve()) for path in paths], root=str(folder), settings=settings)


@pytest.mark.parametrize(
    ("files", "engine", "found"),
    [
        ({"shop.yaml": SHOP}, None, "vap"),
        ({"team.yaml": POLICY}, None, "kyverno"),
        ({"team.yaml": POLICY, "vap.yaml": VAP}, None, "vap"),
        ({"team.yaml": POLICY}, "vap", "vap"),
        ({"vap.yaml": VAP}, "kyverno", "kyverno"),
        ({"vap.yaml": VAP}, "none", "none"),
    ],
)
def test_the_engine_is_what_the_tree_uses_or_what_was_asked_for(
    tmp_path: Path, files: dict[str, str], engine: str | None, found: str
) -> None:
    assert tree(tmp_path, files, engine=engine).ask(Guardrails).engine == found


@pytest.mark.parametrize(
    ("files", "paths", "engine", "home"),
    [
        ({"shop.yaml": SHOP}, (".",), None, None),
        ({"a.yaml": SHOP, "p/team.yaml": POLICY}, (".",), None, "p/team.yaml"),
        ({"a/shop.yaml": SHOP, "p/team.yaml": POLICY}, ("a",), None, None),  # outside of the paths
        ({"a/shop.yaml": SHOP, "p/team.yaml": POLICY}, ("a",), "vap", "a/shop.yaml"),
        ({"z.yaml": SHOP, "demo.sh": RUN}, (".",), None, "demo.sh"),
        ({"z.yaml": SHOP, ".github/workflows/ci.yml": f"jobs: {{}}\nsteps:\n- run: {RUN}"}, (".",), None, "z.yaml"),
        ({".github/workflows/ci.yml": f"jobs: {{}}\nsteps:\n- run: {RUN}"}, (".",), None, None),
        ({"demo.sh": "kubectl apply -f z.yaml\n", "z.yaml": SHOP}, (".",), None, None),
        ({"z.yaml": SHOP}, (".",), "none", None),
    ],
)
def test_the_home_of_policies(
    tmp_path: Path, files: dict[str, str], paths: tuple[str, ...], engine: str | None, home: str | None
) -> None:
    item, _ = tree(tmp_path, files, paths, engine).ask(Guardrails).home
    assert (None if item is None else Path(item.piece.file.path).relative_to(tmp_path.resolve()).as_posix()) == home


@pytest.mark.parametrize(
    ("text", "found"),
    [(RELEASE, (1, 13)), (APPLICATION, (1, 16)), (RELEASE.replace("3.3.7", '"*"'), None), (SHOP, None)],
)
def test_the_version_of_kyverno(tmp_path: Path, text: str, found: tuple[int, int] | None) -> None:
    known = tree(tmp_path, {"a.yaml": text}).ask(Guardrails).kyverno_version
    assert (known and known[0]) == found


def test_the_seed_gets_a_policy_and_a_finding(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k04.sh": shared("seed", "k04-insecure.sh").read_text()})
    commit(tmp_path)
    done = harden("apply", ".", "--profile", "restricted")
    assert done.status == 0
    assert "script-kubectl-privileged" in done.out and "kubectl run hacker-pod" in done.out
    assert (tmp_path / "harden-policies.yaml").exists()
    assert harden("apply", ".", "--profile", "restricted").out.startswith("changed nothing in 2 files; ")
    assert (tmp_path / "k04.sh").read_text() == shared("seed", "k04-insecure.sh").read_text()


def test_an_unknown_policy_and_a_wrong_version_are_refused(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"team.yaml": POLICY})
    for option, message in (
        ("policies.generate=pod-isolatoin", "pod-isolatoin is none of all, pod-isolation"),
        ("policies.kyverno-version=new", "new is no version"),
    ):
        done = harden("diff", ".", "--set", option)
        assert done.status == 2 and message in done.err


@pytest.mark.parametrize(("value", "found"), [("1.16", (1, 16)), ("1.20", (1, 20)), ('"1.9"', (1, 9)), ("1.3", (1, 3))])
def test_a_version_that_yaml_reads_as_a_number(value: str, found: tuple[int, int]) -> None:
    from hardener.authoring.registry import get

    options = get("policy-generate").options
    assert options is not None
    assert options(kyverno_version=yaml.safe_load(value)).release == found


def documents(case: Path) -> list[dict[str, Any]]:
    files = sorted(case.rglob("*.yaml"))
    return [document for path in files for document in yaml.safe_load_all(path.read_text()) if document]


def pods(found: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in found:
        spec = document.get("spec") or {}
        namespace = document.get("metadata", {}).get("namespace", "")
        if document["kind"] == "Pod":
            yield namespace, document
        elif "template" in spec:
            yield namespace, spec["template"]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_no_golden_policy_refuses_a_pod_of_its_tree(case: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    found = documents(case)
    specs = {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "ValidatingAdmissionPolicy"}
    known = {each["metadata"]["name"] for each in found if each["kind"] == "Namespace"}
    refusing = []
    for document in found:
        if document["kind"].startswith("ValidatingAdmissionPolicy"):
            validate.validate(document, "1.35", strict=True)
        if document["kind"] == "ValidatingAdmissionPolicyBinding":
            assert document["spec"]["policyName"] in specs
            (selector,) = document["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
            refuses = "Deny" in document["spec"]["validationActions"]
            assert selector["operator"] == ("In" if refuses else "NotIn")
            if refuses:
                assert set(selector["values"]) <= known
                refusing.append((specs[document["spec"]["policyName"]], selector["values"]))
    if "is-refused" in case.parent.name:
        return  # what was added since
    for spec, namespaces in refusing:
        if "pods" in spec["matchConstraints"]["resourceRules"][0]["resources"]:
            for namespace, pod in pods(found):
                assert namespace not in namespaces or refused(spec, pod) == []


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: nothing\nspec: []\n",
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {labels: [a]}\nspec: {rules: {a: b}}\n",
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [{validate: 1}], validationFailureAction: []}\n",
        VAP.replace("spec: {", "spec: {failurePolicy: [a], "),
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nspec: {policyName: {}}\n",
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\n"
        "spec: {validationActions: Audit, matchResources: []}\n",
        "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sPSPPrivilegedContainer\nspec: deny\n",
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins: {name: PodSecurity}\n",
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n"
        "plugins: [{name: PodSecurity, configuration: {defaults: [enforce]}}]\n",
        "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nspec: {validationActions: {a: b}}\n",
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nspec: "
        "{mutations: {a: b}, matchConstraints: {resourceRules: [{resources: pods}]}}\n",
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n"
        "metadata: {name: harden-pod-isolation, labels: {app.kubernetes.io/managed-by: harden}}\nspec: [rules]\n",
        "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nspec: 1\n",
    ],
)
def test_what_no_api_server_takes_stops_nothing(harden: Harden, tmp_path: Path, text: str) -> None:
    managed = POLICY.replace("{name: require-team}", "{name: p, labels: {app.kubernetes.io/managed-by: harden}}")
    write(tmp_path, {"odd.yaml": text, "team.yaml": managed, "shop.yaml": SHOP})
    done = harden("diff", ".", "--profile", "strict")
    assert done.status in (0, 1), done.err
    assert "harden-pod-isolation" in done.all


@pytest.mark.parametrize(
    "overrides",
    ['{"spec": []}', '{"spec": {"containers": 1, "hostPID": true}}', "[]", "1", '{"spec": null}', "{", '"a"'],
)
def test_overrides_that_are_no_pod_stop_nothing(harden: Harden, tmp_path: Path, overrides: str) -> None:
    write(tmp_path, {"demo.sh": f"kubectl run a --image=b --privileged --overrides='{overrides}'\n"})
    assert harden("diff", ".").status in (0, 1)


_RUNNER = """apiVersion: v1
kind: Namespace
metadata: {name: ci}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: runner, namespace: ci}
spec:
  selector: {matchLabels: {app: runner}}
  template:
    metadata: {labels: {app: runner}}
    spec: {serviceAccountName: runner, containers: [{name: runner, image: example.com/runner}]}
"""


def _grant(kind: str, resources: str, verbs: str, account: str = "runner") -> str:
    """A role and its binding; ``kind`` is Role or ClusterRole."""
    return f"""---
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: runner, namespace: ci}}
rules: [{{apiGroups: ["", apps], resources: [{resources}], verbs: [{verbs}]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}Binding
metadata: {{name: runner, namespace: ci}}
subjects: [{{kind: ServiceAccount, name: {account}, namespace: ci}}]
roleRef: {{kind: {kind}, name: runner, apiGroup: rbac.authorization.k8s.io}}
"""


@pytest.mark.parametrize(
    ("more", "makes"),
    [
        ("", False),
        (_grant("Role", "pods", "create, get"), True),
        (_grant("Role", "deployments", "create"), True),
        (_grant("Role", "'*'", "'*'"), True),
        (_grant("Role", "pods", "get, list"), False),
        (_grant("Role", "pods", "create", "somebody"), False),
        (_grant("ClusterRole", "pods", "create"), True),
        (_grant("ClusterRole", "'*'", "'*'"), False),  # of deployers; what they make, their objects tell
    ],
)
def test_where_a_program_makes_pods_the_tree_does_not_show_all(more: str, makes: bool) -> None:
    assert [*Tree.from_text(_RUNNER + more).ask(PodMakers)] == (["ci"] if makes else [])
