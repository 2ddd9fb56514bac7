"""The lines that harden a chart of one's own: as a patch that git takes, and that renders to what was decided."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hardener.charts.helm import Helm
from hardener.charts.rendered import Document, Key, Reader, changed
from hardener.charts.template_patch import OwnPatch, own_patch, written_over
from hardener.charts.wanted import Wanted
from hardener.commands.run import Choices, plan_of
from hardener.tree.tree import Tree
from tests import helm as real
from tests.conftest import git

pytestmark = pytest.mark.helm

Objects = dict[Key, Document]
CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: 1.2.3\n"


class Chart:
    """A chart in a folder of its own, as a repository of git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.helm = Helm.found(str(real.program(3)), str(folder))

    def write(self, files: dict[str, str]) -> Chart:
        for name, text in {"Chart.yaml": CHART, **files}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return self

    def render(self, texts: dict[str, str] | None = None) -> Objects:
        copied = self.folder.parent / "copied"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(self.folder, copied)
        for name, text in (texts or {}).items():
            (copied / name).write_bytes(text.encode())
        return Reader().read(self.helm.template(str(copied), release="x"))

    def patch(self, profile: str = "restricted", max_risk: str = "review") -> tuple[Objects, Wanted, OwnPatch]:
        """What helm renders, what harden wants of it, and the patch for that."""
        text = self.helm.template(str(self.folder), release="x")
        plan = plan_of(Choices(profile=profile, max_risk=max_risk), str(self.folder))
        documents = [(str(self.folder / match), part) for match, part in _parts(text)]
        tree = Tree.rendered(documents, str(self.folder), plan.settings, None, str(self.folder))
        wanted = Wanted(plan.run(tree, lambda name: None))
        base = Reader().read(text)
        return base, wanted, own_patch(str(self.folder), base, wanted, wanted.steps, self.render)


def _parts(text: str) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for part in re.split(r"(?m)^---\n(?=# Source: )", text):
        if match := re.match(r"# Source: [^/]+/(\S+)\n", part):
            found.setdefault(match[1], []).append(part[match.end() :])
    return [(name, "---\n".join(parts)) for name, parts in found.items()]


@pytest.fixture
def chart(tmp_path: Path) -> Chart:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Chart(folder)


def applied(chart: Chart, found: OwnPatch) -> Objects:
    """The chart rendered with the patch, which git and patch take alike."""
    git(chart.folder, "init", "-q")
    texts = []
    for command in (["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-s"]):
        copied = chart.folder.parent / command[0]
        shutil.copytree(chart.folder, copied)
        done = subprocess.run(command, cwd=copied, input=found.patch.encode(), capture_output=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr, found.patch)
        texts.append({name: (copied / name).read_bytes().decode() for name in found.written.texts})
    assert texts == [found.written.texts, found.written.texts]
    return chart.render(found.written.texts)


def comes_out(chart: Chart, found: OwnPatch, base: Objects) -> bool:
    """Whether the patched chart renders to what ``found`` says, and every other object to what it was."""
    return not list(changed(written_over(base, found.written), applied(chart, found)))


def lines(patch: str) -> list[str]:
    """What a patch adds and takes away."""
    return [line for line in patch.split("\n") if re.match(r"[+-](?![+-]{2} )", line)]


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  replicas: {{ .Values.web.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      {{- with .Values.web.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: web
          image: "{{ .Values.web.image.repository }}:{{ .Values.web.image.tag | default .Chart.AppVersion }}"
          ports:
            - containerPort: 8080
        {{- if .Values.logs.enabled }}
        - name: log-shipper
          image: fluent/fluent-bit:3.1.4
        {{- end }}
"""
VALUES = """\
# The shop.
web:
  replicas: 2
  image:
    repository: registry.example.com/shop/web
    tag: ""

logs:
  enabled: true
"""
