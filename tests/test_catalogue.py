"""The catalogue is printed by the program, so it cannot go stale."""

from __future__ import annotations

import ast
import re

import pytest

from hardener.authoring import other_names, peer_checks, registry, trivy_checks
from hardener.authoring.risks import RISKS
from hardener.authoring.transform import SCANNERS
from hardener.commands import explain
from hardener.engine import find_audit_gaps, pipeline
from hardener.errors import InputError
from hardener.report import finding_ids, unread

from .conftest import ROOT, Harden


def said(*arguments: str) -> str:
    lines: list[str] = []
    for name in arguments:
        explain.explain(name, lambda line: lines.append(str(line)))
    return "\n".join(lines)


def test_the_readme_of_the_transforms_is_what_the_program_prints() -> None:
    found = (ROOT / "transforms" / "README.md").read_text(encoding="utf-8")
    assert found == explain.markdown(), "run: python -m hardener.commands.explain > transforms/README.md"


@pytest.mark.parametrize("id", list(registry.transforms()))
def test_every_transform_explains_itself(id: str) -> None:
    text = said(id)
    transform = registry.get(id)
    assert f"{transform.title}." in text
    assert "Why: " in text and "May break: " in text and "Profiles: " in text
    assert transform.risk in text


@pytest.mark.parametrize("risk", list(RISKS))
def test_every_risk_is_explained(risk: str) -> None:
    assert RISKS[risk].title in said(risk)
    assert said(risk) == said(risk.lower())


@pytest.mark.parametrize("columns", [0, 40, 80, 200])
@pytest.mark.parametrize("name", ["run-as-non-root", "K01", "CKV_K8S_16", "CKV_K8S_22", "not-written"])
def test_an_explanation_fits_the_terminal(
    name: str, columns: int, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARDEN_DOCS", "https://example.com/a/very/long/address/of/the/folder/with/docs")
    monkeypatch.setattr("hardener.report.terminal.screen.size", lambda stream: (columns, 0))
    lines = harden("explain", name).out.splitlines()
    assert " ".join(" ".join(lines).split()) == " ".join(said(name).split())
    for line in lines:
        if columns or line.startswith(("Why: ", "May break: ")):
            assert len(line) <= min(columns or 100, 100) or "//" in line or " " not in line.strip(), line


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean run-as-non-root"):
        explain.explain("run-as-nonroot", print)


def test_the_list_names_every_transform_once() -> None:
    lines: list[str] = []
    explain.print_list(lambda line: lines.append(str(line)))
    named = [line.split()[0] for line in lines if line.startswith("  ")]
    assert sorted(named) == sorted(registry.transforms())


def test_a_profile_shows_its_transforms_and_options() -> None:
    lines: list[str] = []
    explain.print_profiles("restricted", lambda line: lines.append(str(line)))
    assert "  run-as-non-root" in lines
    assert "  capabilities.drop = ALL" in lines


# -- names of others


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["CKV_K8S_16", "ckv_k8s_16", "checkov:CKV_K8S_16"], ["no-privileged"]),
        (["KSV017", "KSV-0017", "AVD-KSV-0017", "avd-ksv-0017", "trivy:KSV017"], ["no-privileged"]),
        (["KCV-0082", "AVD-KCV-0082"], ["kubelet-readonly-port"]),
        (["C-0017", "c-0017", "C0017", "kubescape:C-0017"], ["read-only-root-filesystem"]),
        (["no-read-only-root-fs", "kube-linter:no-read-only-root-fs"], ["read-only-root-filesystem"]),
        (["notReadOnlyRootFilesystem", "polaris:notreadonlyrootfilesystem"], ["read-only-root-filesystem"]),
        (["allow-capability-chown"], ["drop-capabilities"]),
        (["5.2.2", "CIS 5.2.2", "CIS-5.2.2", "cis 5.2.2"], ["no-privileged"]),
        (["EKS 5.4.2", "CIS EKS 5.4.2", "eks-5.4.2"], ["tf-eks-endpoint"]),
        (["5.2.12"], ["no-host-path", "host-path-read-only"]),
        (["latest-tag"], ["pin-image-digest"]),
        (["CKV_K8S_23"], ["run-as-user", "run-as-non-root"]),
    ],
)
def test_a_check_of_another_scanner_leads_to_its_transforms(names: list[str], ids: list[str]) -> None:
    texts = [said(name) for name in names]
    assert len(set(texts)) == 1
    if len(ids) == 1:
        assert f"\n{ids[0]}\n" in texts[0] and "Why: " in texts[0]
    else:
        assert [line.split(":")[0].strip() for line in texts[0].splitlines() if line.startswith("  ")] == ids


def test_a_section_of_the_benchmark_lists_what_it_asks_for() -> None:
    text = said("5.2")
    assert "  no-privileged: " in text and "  no-host-path: " in text and "kubelet-auth" not in text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("CKV_K8S_160", "CKV_K8S_16"),
        ("run-as-nonroot", "run-as-non-root"),
        ("broken-documents", "broken-document"),
        ("ckv_k8s_160", "CKV_K8S_16"),
        ("KSV-9999", None),
        ("9.9.9", None),
        ("", None),
        (":", None),
    ],
)
def test_what_nobody_knows_is_one_line(name: str, near: str | None) -> None:
    with pytest.raises(InputError) as error:
        explain.explain(name, print)
    assert "\n" not in str(error.value) and str(error.value).startswith(f"unknown id {name}")
    assert near is None or f"did you mean {near}?" in str(error.value)


def test_every_check_of_trivy_leads_to_transforms_that_there_are() -> None:
    for name, (title, ids) in trivy_checks.CHECKS.items():
        assert title and ids and {*ids} <= registry.transforms().keys(), name
        assert trivy_checks.named(name) == name
    assert other_names.of(registry.get("no-privileged"))["trivy"] == ["KSV-0017"]
    workloads = [sum(name.startswith("KSV") for name in known) for known in (trivy_checks.CHECKS, trivy_checks.LEFT)]
    assert workloads == [66, 11]  # a check that is lost, or comes, is counted here
    for name, (title, why) in trivy_checks.LEFT.items():
        assert name not in trivy_checks.CHECKS and f"({title}) is nothing that harden looks for: {why}." in " ".join(
            said(name).split()
        )


def test_every_peer_is_found_by_its_name() -> None:
    for scanner, checks in registry.peer_checks().items():
        for check, ids in checks.items():
            found = other_names.find(f"{scanner}:{check}")
            assert found is not None and {item.id for item in found.transforms} == ids


def test_checks_of_peers_lead_to_transforms_or_to_a_reason() -> None:
    left = peer_checks.left()
    for scanner, checks in peer_checks.asked().items():
        assert scanner in SCANNERS and not checks.keys() & left[scanner].keys()
        for check, ids in checks.items():
            assert ids and ids <= registry.transforms().keys(), check
    for scanner, reasons in left.items():
        assert not registry.peer_checks()[scanner].keys() & reasons.keys()
        for check, why in reasons.items():
            by_scanner, alone = (" ".join(said(name).split()) for name in (f"{scanner}:{check}", check))
            assert why in by_scanner and "is nothing that harden looks for" in alone


@pytest.mark.parametrize(
    ("name", "id"),
    [("CKV_K8S_49", "rbac-wildcard-verbs"), ("wildcard-in-rules", "rbac-wildcard-resources"),
     ("env-var-secret", "secret-env-literal"), ("C-0187", "rbac-wildcard-apigroups"), ("C0264", "unencrypted-storage"),
     ("CKV_K8S_138", "kubelet-auth"), ("C-0186", "rbac-dangerous-grant"),
     ("kyverno:disallow-host-path", "no-host-path"),
     ("container-seccomp-profile", "seccomp-runtime-default"), ("sensitiveConfigmapContent", "secret-configmap-move")],
)  # fmt: skip
def test_a_check_of_a_peer_is_explained(name: str, id: str) -> None:
    assert id in said(name)


# -- findings that are no transforms


def finding_ids_of_the_code() -> set[str]:
    """The ids that the code gives to findings about files and documents, as literals."""
    found = {"refused", *pipeline._LEFT_ALONE, *pipeline._PARTLY, find_audit_gaps._ID}
    makers = {"Report", "Problem", "UnreadableError", "_report", "refuse", "_refuse", "_stopped"}
    for path in [*ROOT.glob("hardener/engine/**/*.py"), *ROOT.glob("hardener/tree/*.py"),
                 *ROOT.glob("hardener/sources/**/*.py"), *ROOT.glob("hardener/commands/*.py")]:  # fmt: skip
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            words: list[ast.expr] = []
            if isinstance(node, ast.Tuple) and len(node.elts) == 4:  # id, line, message, advice
                words = node.elts[:1] if not all(isinstance(item, ast.Constant) for item in node.elts) else []
            elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in makers:
                words = node.args[:4]
            elif isinstance(node, ast.Assign) and any("problem" in ast.unparse(target) for target in node.targets):
                words = node.value.elts[:1] if isinstance(node.value, ast.Tuple) else []
            texts = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
            found.update(text for text in texts if re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", text))
    return found


def test_every_finding_that_is_no_transform_is_explained() -> None:
    lines = [line.split() for path in ROOT.glob("golden/**/findings.txt") for line in path.read_text().splitlines()]
    golden = {line[1] for line in lines if len(line) > 1 and line[0] == "finding"} - registry.transforms().keys()
    assert {"template", "opaque-value", "waiver-stale"} <= golden
    wanted = golden | finding_ids_of_the_code() | unread._WHY.keys()
    assert wanted - registry.transforms().keys() <= finding_ids.MEANINGS.keys()
    assert len(wanted) > 30, "the code is read in vain"


@pytest.mark.parametrize("id", finding_ids.MEANINGS)
def test_a_finding_explains_itself(id: str) -> None:
    assert id not in registry.transforms()
    text = " ".join(said(id).split())
    assert text.startswith(f"{id}: about what was read") and finding_ids.MEANINGS[id] in text
