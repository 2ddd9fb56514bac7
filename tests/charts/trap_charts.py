"""Small charts that lead a reader of values astray, and what is known of each.

A trap writes its chart into a folder. The workloads are hardened by their templates, except for the part that the trap
is about. ``Trap.rows`` tell of every edit that harden wants there by which key it comes out, or that none does;
``Trap.never`` are overrides that look right and are wrong. tests/charts/test_trap_charts.py asks helm whether all of
that is true.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import write

Place = tuple[str | int, ...]

POD: Place = ("spec", "template", "spec")
POD_SECURITY = (*POD, "securityContext")
CONTAINER = (*POD, "containers", 0)
SECURITY = (*CONTAINER, "securityContext")
RESOURCES = (*CONTAINER, "resources")
ABSENT: Any = object()
_NINDENT = re.compile(r"nindent ([0-9]+)")


@dataclass(frozen=True)
class Row:
    """The edits of ``object`` ("Deployment/app-web") at ``path`` and below; of several rows the longest path counts.

    They come out by ``key`` of values, with the rest of their path behind it, or by ``value`` at ``key``. Without a key
    no override brings them, and the finding names ``template``. With ``must=False`` it is no fault when a key is not
    found.
    """

    object: str
    path: Place
    key: tuple[str, ...] | None = None
    value: Any = ABSENT
    template: str = ""
    must: bool = True


@dataclass(frozen=True)
class Never:
    """An override that must not be written: helm refuses it, it brings nothing, or it brings more than was decided."""

    key: tuple[str, ...]
    value: Any
    why: str


@dataclass(frozen=True)
class Trap:
    """A chart, what must come out, and what differs between two renders of the same values (``varies``)."""

    write: Callable[[Path], None]
    says: str
    rows: Sequence[Row] = ()
    never: Sequence[Never] = ()
    varies: Sequence[tuple[str, Place]] = ()
    renders: bool = True

    @property
    def name(self) -> str:
        return self.write.__name__.replace("_", "-")


TRAPS: list[Trap] = []


def _trap(says: str, *rows: Row | Never, **more: Any) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def add(function: Callable[[Path], None]) -> Callable[[Path], None]:
        known = [row for row in rows if isinstance(row, Row)]
        TRAPS.append(Trap(function, says, known, [row for row in rows if isinstance(row, Never)], **more))
        return function

    return add


# -- parts of charts


def chart(name: str = "shop", more: str = "") -> str:
    """The text of a Chart.yaml."""
    return f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n{more}"


def opened(key: str, field_name: str) -> str:
    """A field of a template that is the map of values at ``key``, and is not there while that is empty."""
    return f"{{{{- with {key} }}}}\n{field_name}:\n  {{{{- toYaml . | nindent 2 }}}}\n{{{{- end }}}}"


@dataclass(frozen=True)
class Parts:
    """The parts of a workload, as text of a template; what no trap opens is as harden wants it."""

    token: str = "automountServiceAccountToken: false"
    pod_security: str = (
        "securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}"
    )
    volumes: str = "volumes:\n- name: tmp\n  emptyDir: {}"
    security: str = (
        "securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}"
    )
    mounts: str = "volumeMounts:\n- name: tmp\n  mountPath: /tmp"
    resources: str = "resources: {requests: {cpu: 25m, memory: 128Mi}, limits: {cpu: '1', memory: 128Mi}}"
    ports: str = ""
    containers: str = ""
    annotations: str = ""


def workload(name: str = "web", parts: Parts = Parts(), *, full_name: str = "{{ .Release.Name }}-%s") -> str:
    """The template of a Deployment."""
    container = "\n".join(
        filter(None, (f"name: {name}", f"image: example.com/{name}:1.2.3", parts.security, parts.mounts,
                      parts.resources, parts.ports))
    )  # fmt: skip
    containers = parts.containers or "- " + _deeper(container, 2).lstrip()
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {full_name.replace("%s", name)}
spec:
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
{_deeper(parts.annotations, 6)}
    spec:
{_deeper(parts.token, 6)}
{_deeper(parts.pod_security, 6)}
      containers:
{_deeper(containers, 8)}
{_deeper(parts.volumes, 6)}
"""


def _deeper(text: str, by: int) -> str:
    """``text`` moved to the right, and what its ``nindent`` says with it."""
    lines = textwrap.indent(text, " " * by).splitlines()
    return "\n".join(_NINDENT.sub(lambda found: f"nindent {int(found[1]) + by}", line) for line in lines)


WEB = "Deployment/app-web"
KEYED = Parts(security=opened(".Values.securityContext", "securityContext"))


@_trap(
    "Each alias of a sub-chart is a key of its own; the name of the sub-chart is none, and no condition is switched.",
    Row("Deployment/app-frontend", SECURITY, ("frontend", "securityContext")),
    Row("Deployment/app-backend", SECURITY, ("backend", "securityContext")),
    Never(("web", "securityContext", "allowPrivilegeEscalation"), False, "nothing bears this name"),
    Never(("securityContext", "allowPrivilegeEscalation"), False, "the parent reads no such key"),
    Never(("cache", "enabled"), True, "an object comes that nobody asked for"),
    Never(("backend", "enabled"), False, "a workload goes"),
)
def aliases_and_conditions(folder: Path) -> None:
    dependencies = "".join(
        f"- {{name: {name}, version: 0.1.0, repository: '', alias: {alias}, condition: {alias}.enabled}}\n"
        for name, alias in (("web", "frontend"), ("web", "backend"), ("memory", "cache"))
    )
    files = {
        "Chart.yaml": chart(more=f"dependencies:\n{dependencies}"),
        "values.yaml": "frontend:\n  enabled: true\nbackend:\n  enabled: true\ncache:\n  enabled: false\n",
    }
    for name in ("web", "memory"):
        files |= {
            f"charts/{name}/Chart.yaml": chart(name),
            f"charts/{name}/values.yaml": "securityContext: {}\n",
            f"charts/{name}/templates/web.yaml": workload("main", KEYED, full_name=_OF_CHART),
        }
    write(folder, files)


_OF_CHART = "{{ .Release.Name }}-{{ .Chart.Name }}"


@_trap(
    "One list is written as volumes and as mounts: what it takes for the one is wrong for the other, so that the file"
    " system of the container stays writable, while the rest of its security context is set.",
    Row(WEB, SECURITY, ("securityContext",)),
    Row(WEB, (*SECURITY, "readOnlyRootFilesystem"), template="templates/web.yaml"),
    Row(WEB, (*POD, "volumes"), template="templates/web.yaml"),
    Row(WEB, (*CONTAINER, "volumeMounts"), template="templates/web.yaml"),
    Never(("storage",), [{"name": "harden-web-tmp", "emptyDir": {}}], "it also becomes a mount, at another place"),
    Never(("storage",), [{"name": "harden-web-tmp", "mountPath": "/tmp"}], "the volume has no source"),
)
def one_list_as_volumes_and_mounts(folder: Path) -> None:
    mounts = (
        "{{- with .Values.storage }}\nvolumeMounts:\n{{- range . }}\n- name: {{ .name }}\n"
        '  mountPath: {{ .mountPath | default (printf "/data/%s" .name) }}\n{{- end }}\n{{- end }}'
    )
    volumes = (
        '{{- with .Values.storage }}\nvolumes:\n{{- range . }}\n- {{ omit . "mountPath" | toJson }}\n'
        "{{- end }}\n{{- end }}"
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "storage: []\nsecurityContext: {}\n",
            "templates/web.yaml": workload("web", Parts(security=KEYED.security, mounts=mounts, volumes=volumes)),
        },
    )


@_trap(
    "One item of one list makes a volume and its mount: both edits come out by it together, and neither alone.",
    Row(WEB, SECURITY, ("securityContext",)),
    Row(WEB, (*POD, "volumes"), ("scratch",), [{"name": "harden-web-tmp", "path": "/tmp"}], must=False),
    Row(WEB, (*CONTAINER, "volumeMounts"), ("scratch",), [{"name": "harden-web-tmp", "path": "/tmp"}], must=False),
    Row(WEB, (*SECURITY, "readOnlyRootFilesystem"), ("securityContext", "readOnlyRootFilesystem"), must=False),
    Never(("scratch",), [{"name": "harden-web-tmp", "emptyDir": {}}], "a mount without a path comes"),
)
def one_item_for_volume_and_mount(folder: Path) -> None:
    mounts = (
        "{{- with .Values.scratch }}\nvolumeMounts:\n{{- range . }}\n- name: {{ .name }}\n"
        "  mountPath: {{ .path }}\n{{- end }}\n{{- end }}"
    )
    volumes = (
        "{{- with .Values.scratch }}\nvolumes:\n{{- range . }}\n- name: {{ .name }}\n  emptyDir: {}\n"
        "{{- end }}\n{{- end }}"
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "scratch: []\nsecurityContext: {}\n",
            "templates/web.yaml": workload("web", Parts(security=KEYED.security, mounts=mounts, volumes=volumes)),
        },
    )


@_trap(
    "The schema lets some keys through and no other: what it refuses is left, the rest is set, and resources are open.",
    Row(WEB, POD_SECURITY, ("podSecurityContext",)),
    Row(WEB, (*POD_SECURITY, "seccompProfile"), template="templates/web.yaml"),
    Row(WEB, RESOURCES, ("resources",)),
    Never(("podSecurityContext", "seccompProfile", "type"), "RuntimeDefault", "the schema refuses it"),
    Never(("web", "resources"), {"limits": {"memory": "1Gi"}}, "the schema knows no such key"),
)
def closed_schema(folder: Path) -> None:
    schema = """\
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "global": {"type": "object"},
    "resources": {"type": "object"},
    "podSecurityContext": {
      "type": "object",
      "additionalProperties": false,
      "properties": {"runAsNonRoot": {"type": "boolean"}, "runAsUser": {"type": "integer", "minimum": 1}}
    }
  }
}
"""
    parts = Parts(
        pod_security=opened(".Values.podSecurityContext", "securityContext"),
        resources=opened(".Values.resources", "resources"),
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "podSecurityContext: {}\nresources: {}\n",
            "values.schema.json": schema,
            "templates/web.yaml": workload("web", parts),
        },
    )


@_trap(
    "A map under global reaches the chart and its sub-chart at once, and both want the same of it.",
    Row(WEB, POD_SECURITY, ("global", "podSecurityContext")),
    Row("Deployment/app-cache", POD_SECURITY, ("global", "podSecurityContext")),
    Never(("podSecurityContext", "runAsNonRoot"), True, "nothing reads it"),
    Never(("cache", "podSecurityContext", "runAsNonRoot"), True, "nothing reads it"),
)
def values_under_global(folder: Path) -> None:
    parts = Parts(pod_security=opened(".Values.global.podSecurityContext", "securityContext"))
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "global:\n  podSecurityContext: {}\n",
            "templates/web.yaml": workload("web", parts),
            "charts/cache/Chart.yaml": chart("cache"),
            "charts/cache/values.yaml": "port: 6379\n",
            "charts/cache/templates/cache.yaml": workload("cache", parts),
        },
    )


@_trap(
    "The template fails on a key that it does not know, so that no marker gets through; the keys that it knows do.",
    Row(WEB, POD_SECURITY, ("podSecurityContext",), must=False),
    Row(WEB, RESOURCES, ("resources",)),
    Never(("podSecurityContext", "fsGroup"), 1000, "the template fails"),
)
def unknown_keys_fail(folder: Path) -> None:
    check = """\
{{- range $key, $_ := .Values.podSecurityContext }}
{{- if not (has $key (list "runAsNonRoot" "runAsUser" "seccompProfile")) }}
{{- fail (printf "podSecurityContext: unknown key %s" $key) }}
{{- end }}
{{- end }}
"""
    parts = Parts(
        pod_security=opened(".Values.podSecurityContext", "securityContext"),
        resources=opened(".Values.resources", "resources"),
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "podSecurityContext: {}\nresources: {}\n",
            "templates/web.yaml": check + workload("web", parts),
        },
    )


@_trap(
    "Some booleans set one field, others switch objects and containers on: only the first are turned.",
    Row(WEB, (*POD, "automountServiceAccountToken"), ("serviceAccount", "automount")),
    Row(WEB, (*SECURITY, "readOnlyRootFilesystem"), ("writable",), False),
    Never(("networkPolicy", "enabled"), True, "an object comes"),
    Never(("metrics", "enabled"), True, "a container comes"),
    Never(("serviceAccount", "create"), True, "an object comes"),
)
def switches(folder: Path) -> None:
    parts = Parts(
        token="{{- if not .Values.serviceAccount.automount }}\nautomountServiceAccountToken: false\n{{- end }}",
        security="securityContext:\n  allowPrivilegeEscalation: false\n  capabilities: {drop: [ALL]}\n"
        "  {{- if not .Values.writable }}\n  readOnlyRootFilesystem: true\n  {{- end }}",
    )
    side = "- name: metrics\n  image: example.com/metrics:1.0.0\n"
    metrics = f"{{{{- if .Values.metrics.enabled }}}}\n{side}{{{{- end }}}}"
    policy = (
        "{{- if .Values.networkPolicy.enabled }}\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata:\n  name: web\nspec:\n  podSelector: {}\n{{- end }}\n"
    )
    account = (
        "{{- if .Values.serviceAccount.create }}\napiVersion: v1\nkind: ServiceAccount\n"
        "metadata:\n  name: web\n{{- end }}\n"
    )
    text = workload("web", parts)
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "serviceAccount:\n  create: false\n  automount: true\nwritable: true\n"
            "networkPolicy:\n  enabled: false\nmetrics:\n  enabled: false\n",
            "templates/web.yaml": text.replace("      volumes:", _deeper(metrics, 8) + "\n      volumes:"),
            "templates/policy.yaml": policy,
            "templates/account.yaml": account,
        },
    )


@_trap(
    "A map goes through tpl and takes keys; a text that goes through tpl holds YAML, and has no keys.",
    Row(WEB, POD_SECURITY, ("podSecurityContext",)),
    Row(WEB, SECURITY, template="templates/web.yaml"),
    Never(("securityContext", "allowPrivilegeEscalation"), False, "tpl takes no map"),
)
def tpl_of_a_map_and_of_a_text(folder: Path) -> None:
    parts = Parts(
        pod_security="securityContext:\n  {{- tpl (toYaml .Values.podSecurityContext) . | nindent 2 }}",
        security="securityContext:\n  {{- tpl .Values.securityContext . | nindent 2 }}",
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "user: 1000\npodSecurityContext:\n  runAsUser: 1000\n"
            "securityContext: |\n  runAsUser: {{ .Values.user }}\n",
            "templates/web.yaml": workload("web", parts),
        },
    )


@_trap(
    "A library chart holds the template: the keys are those of the chart that uses it, and the library has none.",
    Row(WEB, SECURITY, ("securityContext",)),
    Row(WEB, RESOURCES, ("resources",)),
    Never(("parts", "securityContext", "allowPrivilegeEscalation"), False, "a library has no values of its own"),
)
def library_chart(folder: Path) -> None:
    named = (
        '{{- define "parts.container" }}\n'
        + "\n".join(opened(f".Values.{name}", name) for name in ("securityContext", "resources"))
        + "\n{{- end }}\n"
    )
    include = '{{- include "parts.container" . | nindent 0 }}'
    write(
        folder,
        {
            "Chart.yaml": chart(more="dependencies:\n- {name: parts, version: 0.1.0, repository: ''}\n"),
            "values.yaml": "securityContext: {}\nresources: {}\n",
            "templates/web.yaml": workload("web", Parts(security=include, resources="")),
            "charts/parts/Chart.yaml": chart("parts", "type: library\n"),
            "charts/parts/templates/_parts.tpl": named,
        },
    )


@_trap(
    "An object comes whole out of a file of the chart: no key reaches it, and the finding names the template.",
    Row("Deployment/web", (), template="templates/web.yaml"),
    Never(("securityContext", "allowPrivilegeEscalation"), False, "nothing reads it"),
)
def files_of_the_chart(folder: Path) -> None:
    config = (
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  {{- (.Files.Glob "files/*.txt").AsConfig'
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "securityContext: {}\n",
            "files/web.yaml": workload("web", Parts(security=""), full_name="%s"),
            "files/words.txt": "some words\n",
            "templates/web.yaml": '{{ .Files.Get "files/web.yaml" }}\n',
            "templates/config.yaml": config + " | nindent 2 }}\n",
        },
    )


@_trap(
    "A hook is a workload as any other: its key is found, and the one without a key is a finding.",
    Row("Job/app-migrate", SECURITY, ("migrate", "securityContext")),
    Row("Pod/app-test", ("spec",), template="templates/test.yaml"),
    Never(("securityContext", "allowPrivilegeEscalation"), False, "nothing reads it"),
)
def hooks(folder: Path) -> None:
    job = (
        workload("migrate", Parts(security=opened(".Values.migrate.securityContext", "securityContext")))
        .replace("apps/v1", "batch/v1")
        .replace("kind: Deployment", "kind: Job")
        .replace("  selector:\n    matchLabels: {app: migrate}\n", "")
        .replace(
            "metadata:\n  name:", 'metadata:\n  annotations: {"helm.sh/hook": "pre-install,pre-upgrade"}\n  name:', 1
        )
        .replace("      volumes:", "      restartPolicy: Never\n      volumes:")
    )
    test = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {"helm.sh/hook": post-install}
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: example.com/test:1.0.0
      command: [wget, web]
"""
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "migrate:\n  securityContext: {}\n",
            "templates/migrate.yaml": job,
            "templates/test.yaml": test,
        },
    )


@_trap(
    "Two keys share one map by an anchor, and are two keys. In values.yaml itself the alias is refused, and"
    " the map that merges the anchor takes keys of its own.",
    Row(WEB, SECURITY, ("web", "securityContext")),
    Row("Deployment/app-worker", SECURITY, ("worker", "securityContext")),
    Never(("common", "allowPrivilegeEscalation"), False, "helm has read the anchor already"),
)
def anchors_and_comments(folder: Path) -> None:
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "# What all containers share.\ncommon: &common\n  runAsGroup: 2000  # of the volume\n"
            "web:\n  # As everywhere.\n  securityContext: *common\n"
            "worker:\n  securityContext:\n    <<: *common\n    runAsUser: 1001\n",
            "templates/web.yaml": workload("web", _keyed("web")),
            "templates/worker.yaml": workload("worker", _keyed("worker")),
        },
    )


def _keyed(name: str) -> Parts:
    return Parts(security=opened(f".Values.{name}.securityContext", "securityContext"))


@_trap(
    "A key that stands in values.yaml as a comment only, or nowhere, is a key as well.",
    Row(WEB, SECURITY, ("web", "securityContext")),
    Row(WEB, POD_SECURITY, ("podSecurityContext",)),
    Row(WEB, RESOURCES, ("web", "sizes"), must=False),
    Never(("securityContext", "allowPrivilegeEscalation"), False, "nothing reads it"),
)
def commented_out_keys(folder: Path) -> None:
    parts = Parts(
        security=_keyed("web").security,
        pod_security=opened(".Values.podSecurityContext", "securityContext"),
        resources=opened(".Values.web.sizes", "resources"),
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "web:\n  replicas: 1\n  # securityContext:\n  #   runAsUser: 1000\n\n"
            "# Who the pod runs as, for example:\n# podSecurityContext:\n#   fsGroup: 2000\n",
            "templates/web.yaml": workload("web", parts),
        },
    )


@_trap(
    "A password is made anew at each render, and its checksum is in the pod: that differs by itself, by no key.",
    Row(WEB, SECURITY, ("securityContext",)),
    Never(("password",), "harden", "the Secret is not what was to change"),
    varies=(("Secret/app-web", ("data",)), (WEB, ("spec", "template", "metadata", "annotations"))),
)
def random_passwords(folder: Path) -> None:
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}-web\n"
        "data:\n  password: {{ .Values.password | default (randAlphaNum 24) | b64enc }}\n"
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": 'password: ""\nsecurityContext: {}\n',
            "templates/secret.yaml": secret,
            "templates/web.yaml": workload("web", Parts(security=KEYED.security, annotations=_checksum("secret"))),
        },
    )


def _checksum(name: str) -> str:
    made = f'{{{{ include (print $.Template.BasePath "/{name}.yaml") . | sha256sum }}}}'
    return f"annotations:\n  checksum/{name}: {made}"


@_trap(
    "A ConfigMap holds all values of web, and a checksum of it is in two pods: no key of web can be overridden; a key"
    " that the ConfigMap does not hold can.",
    Row(WEB, SECURITY, template="templates/web.yaml"),
    Row("Deployment/app-worker", SECURITY, ("worker", "securityContext")),
    Never(("web", "securityContext", "allowPrivilegeEscalation"), False, "a ConfigMap and two checksums change"),
)
def checksum_of_all_values(folder: Path) -> None:
    config = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-web\n"
        "data:\n  web.yaml: |\n    {{- toYaml .Values.web | nindent 4 }}\n"
    )
    files = {
        "Chart.yaml": chart(),
        "values.yaml": "web:\n  securityContext: {}\nworker:\n  securityContext: {}\n",
        "templates/config.yaml": config,
    }
    for name in ("web", "worker"):
        parts = Parts(security=_keyed(name).security, annotations=_checksum("config"))
        files[f"templates/{name}.yaml"] = workload(name, parts)
    write(folder, files)


@_trap(
    "A map of ports is walked: a key put into it is one more port of the container and of the Service.",
    Row(WEB, SECURITY, ("securityContext",)),
    Never(("ports", "harden"), {"port": 1}, "a port comes, here and in the Service"),
    Never(("ports", "harden"), "marker", "a text has no port"),
    Never(("ports", "web", "protocol"), "UDP", "the Service changes with it"),
)
def range_over_a_map(folder: Path) -> None:
    ports = (
        "ports:\n{{- range $name, $port := .Values.ports }}\n- name: {{ $name }}\n  containerPort: {{ $port.port }}\n"
        '  protocol: {{ $port.protocol | default "TCP" }}\n{{- end }}'
    )
    service = (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector: {app: web}\n  ports:\n"
        "{{- range $name, $port := .Values.ports }}\n    - name: {{ $name }}\n      port: {{ $port.port }}\n"
        '      protocol: {{ $port.protocol | default "TCP" }}\n      targetPort: {{ $name }}\n{{- end }}\n'
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "securityContext: {}\nports:\n  web:\n    port: 8080\n  admin:\n    port: 9090\n",
            "templates/web.yaml": workload("web", Parts(security=KEYED.security, ports=ports)),
            "templates/service.yaml": service,
        },
    )


@_trap(
    "The containers are a list of values: it is overridden as a whole, with what each item had.",
    Row(WEB, (*POD, "containers"), ("containers",)),
    Never(("containers",), [{"name": "web", "image": "example.com/web:1.2.3"}], "the other container goes"),
    Never(("containers",), {"web": {"name": "web", "image": "example.com/web:1.2.3"}}, "a map is no list"),
)
def range_over_containers(folder: Path) -> None:
    containers = (
        "{{- range .Values.containers }}\n- name: {{ .name }}\n  image: {{ .image }}\n"
        "  {{- with .securityContext }}\n  securityContext: {{- toYaml . | nindent 4 }}\n  {{- end }}\n"
        "  {{- with .resources }}\n  resources: {{- toYaml . | nindent 4 }}\n  {{- end }}\n"
        "  {{- with .volumeMounts }}\n  volumeMounts: {{- toYaml . | nindent 4 }}\n  {{- end }}\n{{- end }}"
    )
    values = """\
containers:
  - name: web
    image: example.com/web:1.2.3
    volumeMounts:
      - name: tmp
        mountPath: /tmp
  - name: log
    image: example.com/log:1.0.0
    securityContext:
      runAsUser: 1001
    volumeMounts:
      - name: tmp
        mountPath: /tmp
"""
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": values,
            "templates/web.yaml": workload("web", Parts(containers=containers)),
        },
    )


AGENT = "Deployment/app-agent"


@_trap(
    "Two workloads read one map: what both want is set, and where they want two values, none is.",
    Row(WEB, RESOURCES, ("resources",)),
    Row(WEB, (*RESOURCES, "limits", "memory"), template="templates/web.yaml"),
    Row(WEB, SECURITY, ("securityContext",)),
    Row(AGENT, RESOURCES, ("resources",)),
    Row(AGENT, (*RESOURCES, "limits", "memory"), template="templates/agent.yaml"),
    Row(AGENT, SECURITY, ("securityContext",)),
    Never(("resources", "limits", "memory"), "2Gi", "the agent asks for more"),
)
def one_map_for_two_workloads(folder: Path) -> None:
    asked = '(dict "requests" (dict "memory" "4Gi"))'
    agent = Parts(
        resources=f"resources:\n  {{{{- mergeOverwrite (deepCopy .Values.resources) {asked} | toYaml | nindent 2 }}}}",
        security=KEYED.security,
    )
    web = Parts(resources=opened(".Values.resources", "resources"), security=KEYED.security)
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "resources: {}\nsecurityContext: {}\n",
            "templates/web.yaml": workload("web", web),
            "templates/agent.yaml": workload("agent", agent),
        },
    )


@_trap(
    "Another template compares the very key: to override it changes that as well, so it is left, and the keys beside it"
    " are set.",
    Row(WEB, SECURITY, ("securityContext",)),
    Row(WEB, (*SECURITY, "readOnlyRootFilesystem"), template="templates/web.yaml"),
    Never(("securityContext", "readOnlyRootFilesystem"), True, "the ConfigMap changes with it"),
)
def compared_elsewhere(folder: Path) -> None:
    config = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n"
        '  cache: {{ if eq (toString .Values.securityContext.readOnlyRootFilesystem) "true" }}memory{{ else }}disk'
        "{{ end }}\n"
    )
    write(
        folder,
        {
            "Chart.yaml": chart(),
            "values.yaml": "securityContext:\n  runAsUser: 1000\n",
            "templates/config.yaml": config,
            "templates/web.yaml": workload("web", KEYED),
        },
    )


@_trap("A chart prints 100 MB: the run ends with a line that says so, and holds no such text.", renders=False)
def prints_100_megabytes(folder: Path) -> None:
    lines = '{{- range until 10000 }}\n# {{ repeat 10000 "x" }}\n{{- end }}\n'
    write(folder, {"Chart.yaml": chart(), "values.yaml": "web: {}\n", "templates/web.yaml": lines + workload()})


@_trap("A chart never comes to an end: the run stops it in time, and says so.", renders=False)
def never_ends(folder: Path) -> None:
    loop = "{{- range until 100000 }}{{- range until 100000 }}{{- range until 100000 }}{{- end }}{{- end }}{{- end }}\n"
    write(folder, {"Chart.yaml": chart(), "values.yaml": "web: {}\n", "templates/web.yaml": loop + workload()})
