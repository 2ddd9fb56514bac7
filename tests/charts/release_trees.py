"""A tree in which every tool that renders charts has releases of one small chart."""

from __future__ import annotations

import base64
import io
import tarfile

CHART = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.2.3\n",
    "charts/app/values.yaml": """\
replicas: 1
image: registry.example/app:1.4
args: []
securityContext: {}
resources: {}
""",
    "charts/app/templates/app.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
        - name: app
          image: {{ .Values.image }}
          args: {{- toYaml .Values.args | nindent 12 }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
""",
}


def packed() -> str:
    """The chart as a ``.tgz`` in base64."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tarball:
        for name, text in CHART.items():
            info = tarfile.TarInfo(name.removeprefix("charts/"))
            info.size = len(text.encode())
            tarball.addfile(info, io.BytesIO(text.encode()))
    return base64.b64encode(buffer.getvalue()).decode()


def flux(name: str, values: str, *, path: str = "./charts/app") -> str:
    """A HelmRelease of Flux; ``values`` are the last lines of its spec."""
    return f"""\
# What the shop runs.
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: apps
spec:
  interval: 5m   # often enough
  chart:
    spec:
      chart: {path}
      sourceRef: {{kind: GitRepository, name: here}}
{values}"""


def argo(name: str, helm: str) -> str:
    """An Application of Argo CD; ``helm`` is what its source says of helm."""
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  destination: {{namespace: apps}}
  source:
    repoURL: https://git.example/here
    path: charts/app
    helm:
{helm}"""


def k3s(name: str, values: str = "") -> str:
    """A HelmChart of k3s, which holds the chart."""
    return f"""\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {{name: {name}, namespace: kube-system}}
spec:
  chartContent: {packed()}
  targetNamespace: apps
{values}"""


def kustomize(name: str, values: str) -> str:
    """A kustomization with the chart."""
    return f"""\
helmGlobals: {{chartHome: ../charts}}
helmCharts:
  - name: app
    releaseName: {name}
    namespace: apps
{values}"""


# By the name of the release: the files of it, all of which hold a comment that is to stay.
RELEASES: dict[str, dict[str, str]] = {
    "flux-values": {"flux-values.yaml": flux("flux-values", "  values:\n    # two\n    replicas: 2   # at least\n")},
    "flux-from": {
        "flux-from.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: flux-from-values, namespace: apps}
data:
  values.yaml: |
    # ours
    replicas: 3
---
"""
        + flux("flux-from", "  valuesFrom:\n    - kind: ConfigMap  # above\n      name: flux-from-values\n"),
    },
    "argo-object": {"argo-object.yaml": argo("argo-object", "      valuesObject:\n        replicas: 2  # at least\n")},
    "argo-text": {
        "argo-text.yaml": argo("argo-text", "      values: |\n        # two\n\n        replicas: 2  # at least\n")
    },
    "argo-files": {
        "argo-files.yaml": argo("argo-files", "      valueFiles: [/argo/own.yaml]  # of this cluster\n"),
        "argo/own.yaml": "# of this cluster\nreplicas: 2  # at least\n",
    },
    "argo-parameters": {
        "argo-parameters.yaml": argo(
            "argo-parameters", '      parameters:\n        - name: replicas  # for the night\n          value: "2"\n'
        )
    },
    "argo-set": {
        "argo-set.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: everywhere, namespace: argocd}
spec:
  generators:
    - list:
        elements: [{cluster: one}]  # more to come
  template:
    metadata: {name: argo-set}
    spec:
      destination: {namespace: apps, name: "in-{{cluster}}"}
      project: of-{{cluster}}
      source:
        repoURL: https://git.example/here
        path: charts/app
        helm:
          valuesObject:
            replicas: 2  # at least
"""
    },
    "k3s-content": {"k3s-content.yaml": k3s("k3s-content", "  valuesContent: |-\n    # two\n    replicas: 2\n")},
    "k3s-config": {
        "k3s-config.yaml": k3s("k3s-config")
        + """\
---
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: {name: k3s-config, namespace: kube-system}
spec:
  valuesContent: |
    securityContext:
      allowPrivilegeEscalation: true  # for now
"""
    },
    "kustomize-inline": {
        "kustomize-inline/kustomization.yaml": kustomize(
            "kustomize-inline", "    valuesInline:\n      replicas: 2  # at least\n"
        )
    },
    "kustomize-file": {
        "kustomize-file/kustomization.yaml": kustomize("kustomize-file", "    valuesFile: own.yaml  # beside it\n"),
        "kustomize-file/own.yaml": "# ours\nreplicas: 2  # at least\n",
    },
    "heredoc": {
        "terraform/heredoc.tf": """\
resource "helm_release" "heredoc" {
  name      = "heredoc"
  namespace = "apps"
  chart     = "${path.module}/../charts/app"
  values = [
    <<-EOT
      # two, for the night
      replicas: 2
    EOT
  ]
}
"""
    },
    "encoded": {
        "terraform/encoded.tf": """\
resource "helm_release" "encoded" {
  name      = "encoded"
  namespace = "apps"
  chart     = "../charts/app"
  values = [
    yamlencode({
      replicas = 2 # at least
    })
  ]
}
"""
    },
}


def tree(*names: str) -> dict[str, str]:
    """The files of the chart and of the releases called so; of all of them where none is named."""
    found = dict(CHART)
    for name in names or RELEASES:
        found |= RELEASES[name]
    return found
