"""`harden filter`: standard input to standard output, the report on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.conftest import DEPLOYMENT, ROOT, Harden, write

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer  # for all
  selector: {app: web}
  ports:
  - port: 80
"""


def test_what_apply_writes_is_what_filter_prints(harden: Harden) -> None:
    done = harden("filter", stdin=DEPLOYMENT.encode())
    assert done.status == 0
    assert "allowPrivilegeEscalation: false" in done.out and "name: web  # the only one\n" in done.out
    assert [line for line in DEPLOYMENT.splitlines() if line not in done.out.splitlines()] == []
    assert done.err.startswith("hardened 1 file: ") and "standard input, no tree around it" in done.err
    again = harden("filter", stdin=done.out.encode())
    assert again.out == done.out


@pytest.mark.parametrize(
    "text",
    [
        DEPLOYMENT.replace("\n", "\r\n"),
        "\ufeff" + DEPLOYMENT,
        "\ufeff" + DEPLOYMENT.replace("\n", "\r\n"),
        DEPLOYMENT.rstrip("\n"),
        "---\n# one\n---\n" + DEPLOYMENT + "---\n" + DEPLOYMENT.replace("web", "api"),
        DEPLOYMENT + "...\n",
        DEPLOYMENT.replace("web", "caf\u00e9 \u2713 \U0001f600").replace("name: caf", "name: d # caf"),
    ],
    ids=["crlf", "bom", "bom-crlf", "no-final-newline", "documents", "end-marker", "unicode"],
)
def test_bytes_that_nobody_asked_to_change_stay(text: str, harden: Harden) -> None:
    done = harden("filter", stdin=text.encode())
    assert done.status == 0
    assert done.out != text
    assert done.out.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in done.out) == ("\r\n" in text)
    assert done.out.replace("\r\n", "").count("\n") == (0 if "\r\n" in text else done.out.count("\n"))
    assert done.out.endswith("\n") == text.endswith("\n")
    kept = iter(done.out.splitlines())
    assert all(line in kept for line in text.splitlines()), "a line is gone or moved"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# nothing\n",
        "---\n---\n",
        "just text",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n",
        "kind: Pod\napiVersion: v1\n  x: 1\n",
        "kind: Pod\napiVersion: v1\nspec: {{ .Values.spec }}\n",
        "kind: Pod\napiVersion: v1\nkind: Pod\n",
        "[1, 2]\n",
        "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: 3\n",
        "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {containers: {name: c}}\n",
        "kind: Pod\napiVersion: v1\nmetadata: [a]\nspec: {containers: [c, 1, null]}\n",
        "kind: Service\napiVersion: v1\nmetadata: {name: a}\nspec: [LoadBalancer]\n",
        "kind: RoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nsubjects: {a: b}\n",
        "kind: Deployment\napiVersion: apps/v1\nspec:\n  template: x\n",
        "kind: CronJob\napiVersion: batch/v1\nspec:\n  jobTemplate: [x]\n",
    ],
)
def test_what_cannot_be_hardened_comes_out_as_it_is(text: str, harden: Harden) -> None:
    done = harden("filter", stdin=text.encode())
    assert (done.status, done.out) == (0, text), done.err
    assert "Traceback" not in done.err


def test_a_broken_document_does_not_block_its_neighbours(harden: Harden) -> None:
    broken = "---\nkind: Pod\napiVersion: v1\n  x: 1\n"
    done = harden("filter", stdin=(DEPLOYMENT + broken + "---\n" + DEPLOYMENT.replace("web", "api")).encode())
    assert broken in done.out
    assert done.out.count("allowPrivilegeEscalation: false") == 2
    assert "Refused: 1 document" in done.err and "<stdin>:18" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo: [\n", "Refused: 1 document"),
        ("kind: ConfigMap\napiVersion: v1\ndata:\n\tx: 1\n", "Refused: 1 document"),
        (DEPLOYMENT + "---\nfoo: [\n", "Refused: 1 document"),
        ("foo:\n{{ if .x }}\nbar: 1\n{{ end }}\n", "template  <stdin>:2"),
    ],
)
def test_a_stream_that_is_no_yaml_is_said(text: str, said: str, harden: Harden) -> None:
    """Also where it holds nothing of interest: somebody meant it to be manifests."""
    done = harden("filter", stdin=text.encode())
    assert (done.status, done.out.endswith(text.removeprefix(DEPLOYMENT))) == (0, True), done.err
    assert said in done.err and ("Refused" not in said or "1 refused" in done.err)


@pytest.mark.parametrize("content", [b"\xff\xfek\x00", b"kind: \xe9\n", b"\x80"])
def test_what_is_not_utf_8_is_a_mistake(content: bytes, harden: Harden) -> None:
    done = harden("filter", stdin=content)
    assert (done.status, done.out) == (2, "")
    assert done.err == "harden: standard input is not UTF-8\n"


def test_what_concludes_from_absence_only_reports(harden: Harden, tmp_path: Path) -> None:
    """A stream shows no tree: who uses a named account, and who reaches a Service, is not known."""
    account = DEPLOYMENT.replace("    spec:\n", "    spec:\n      serviceAccountName: web\n")
    done = harden("filter", "-v", stdin=(account + "---\n" + SERVICE).encode())
    assert "automountServiceAccountToken" not in done.out
    assert "  type: LoadBalancer  # for all\n" in done.out
    assert "automount-token" in done.err and "service-cluster-ip" in done.err
    advice = "write all manifests to a file (helm template ... > all.yaml): harden diff all.yaml shows the change"
    assert done.err.count(advice) >= 2
    write(tmp_path, {"all.yaml": account + "---\n" + SERVICE})
    assert "service-cluster-ip" in harden("diff", "all.yaml", "--stat").out


def test_json_in_json_out(harden: Harden) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
                       "spec": {"containers": [{"name": "c", "image": "example.com/c:1"}]}}, indent=2)  # fmt: skip
    done = harden("filter", stdin=text.encode())
    spec = json.loads(done.out)["spec"]
    assert spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert spec["containers"][0]["resources"]["limits"]["memory"] == "2Gi"


def test_options_work_on_a_stream_too(harden: Harden) -> None:
    done = harden("filter", "--only", "seccomp-runtime-default", "--quiet", stdin=DEPLOYMENT.encode())
    assert "RuntimeDefault" in done.out and "allowPrivilegeEscalation" not in done.out
    assert len([line for line in done.err.splitlines() if line]) == 2


def test_the_config_of_the_repository_holds_for_a_stream(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".harden.yaml": "profile: baseline\n"})
    own_user = DEPLOYMENT.replace("example.com/web:1.2.3", "nginxinc/nginx-unprivileged:1.27")
    done = harden("filter", stdin=own_user.encode())
    assert "profile baseline" in done.err and "runAsNonRoot" not in done.out


def test_the_report_goes_to_a_file_instead(harden: Harden, tmp_path: Path) -> None:
    plain = harden("filter", stdin=DEPLOYMENT.encode())
    done = harden("filter", "--report", "harden.txt", stdin=DEPLOYMENT.encode())
    assert (done.status, done.out, done.err) == (0, plain.out, "")
    report = (tmp_path / "harden.txt").read_text(encoding="utf-8")
    # What is not on a screen cannot be asked for again: it is all there, with the patch.
    assert (
        report.startswith("harden ")
        and "\n+++ b/<stdin>\n" in report
        and plain.err.splitlines()[1].partition("; ")[2] in report
    )


def test_the_report_in_a_file_is_json_when_its_name_says_so(harden: Harden, tmp_path: Path) -> None:
    value = "zq8Hk2-planted-0Lw7"
    secret = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {value}}}\n"
    done = harden("filter", "--report", "harden.json", stdin=(DEPLOYMENT + secret).encode())
    text = (tmp_path / "harden.json").read_text(encoding="utf-8")
    assert value in done.out and value not in done.err + text
    report = json.loads(text)
    schema = json.loads((ROOT / "hardener/report/schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, schema)
    assert report["summary"]["edits"] == len(report["changes"]) > 0


@pytest.mark.parametrize("name", ["gone/harden.txt", "."])
def test_a_report_that_cannot_be_written_is_a_mistake(name: str, harden: Harden) -> None:
    done = harden("filter", "--report", name, stdin=DEPLOYMENT.encode())
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"harden: {name}: ")


LOOSE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a"},
    "spec": {"hostPID": True, "containers": [{"name": "a", "image": "a:1"}]},
}
IN_JSON = json.dumps(LOOSE, indent=3)


@pytest.mark.parametrize(
    "rendered",
    [
        yaml.safe_dump(LOOSE),
        f"---\n{yaml.safe_dump(LOOSE)}---\n{yaml.safe_dump(LOOSE)}",
        f"---\n{IN_JSON}\n---\n{IN_JSON}\n...\n",
        IN_JSON,
    ],
    ids=["cue export -e", "cdk8s synth, kustomize build", "jsonnet -y", "jsonnet"],
)
def test_what_other_languages_are_rendered_to_is_hardened(rendered: str, harden: Harden) -> None:
    done = harden("filter", stdin=rendered.encode())
    assert done.status == 0 and "hostPID" not in done.out and "seccompProfile" in done.out
    assert len(list(yaml.safe_load_all(done.out))) == len(list(yaml.safe_load_all(rendered)))


@pytest.mark.parametrize(
    "rendered",
    [yaml.safe_dump({"web": LOOSE}), yaml.safe_dump([LOOSE]), json.dumps([LOOSE]), json.dumps({"a": {"b": LOOSE}})],
    ids=["below a key", "a list", "a list in JSON", "below two keys in JSON"],
)
def test_objects_that_are_no_documents_are_said(rendered: str, harden: Harden) -> None:
    done = harden("filter", stdin=rendered.encode())
    assert done.status == 0 and done.out == rendered
    assert "not looked at: Pod in a document that is no object" in done.err
