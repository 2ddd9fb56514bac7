"""Exports of a cluster: what each tool writes becomes which facts, what is wrong is one line, and nothing secret stays.

The inputs are written after the documentation and sources of each tool; the table names both.
"""

from __future__ import annotations

import copy
import gzip
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.errors import InputError
from hardener.exports import kept_file, writer
from hardener.exports.collector import Collector
from hardener.exports.model import Facts, Peer, Recorded, merged
from hardener.exports.reading import Outcome, files_of, read_file
from hardener.kubernetes.images.reference import parse
from hardener.lock.model import load
from tests.conftest import ROOT, Harden

TODAY = "2026-12-01"
DIGEST = f"sha256:{'a' * 64}"
POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
        "name": "web-6d4cf56db6-x7k2p", "namespace": "shop", "labels": {"app": "web"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-6d4cf56db6", "controller": True}],
    },
    "spec": {
        "containers": [
            {
                "name": "web", "image": "nginx:1.27", "env": [{"name": "PASSWORD", "value": "hunter2-of-the-export"}],
                "resources": {"limits": {"memory": "64Mi"}},
            },
            {"name": "istio-proxy", "image": "istio/proxyv2:1.27", "securityContext": {"runAsUser": 1337}},
        ]
    },
    "status": {
        "containerStatuses": [
            {
                "name": "web", "imageID": f"docker.io/library/nginx@{DIGEST}",
                "user": {"linux": {"uid": 101, "gid": 101}},
                "lastState": {"terminated": {"reason": "OOMKilled"}}, "restartCount": 4,
            },
            {"name": "istio-proxy", "imageID": "", "user": {"linux": {"uid": 1337, "gid": 1337}}},
        ]
    },
}  # fmt: skip
METADATA = {"name": "web", "namespace": "shop"}
DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": METADATA,
    "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web"}]}}},
}  # fmt: skip
AUTOSCALER = {
    "apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
    "status": {"recommendation": {"containerRecommendations": [{
        "containerName": "web", "target": {"cpu": "35m", "memory": "50Mi"},
        "upperBound": {"cpu": "400m", "memory": "120Mi"},
    }]}},
}  # fmt: skip
KRR = {
    "scans": [{
        "object": {"cluster": "c", "name": "web", "container": "web", "namespace": "shop", "kind": "Deployment"},
        "recommended": {
            "requests": {"cpu": {"value": 0.035, "severity": "OK"}, "memory": {"value": 52428800, "severity": "OK"}},
            "limits": {"cpu": {"value": None, "severity": "OK"}, "memory": {"value": 62914560, "severity": "OK"}},
        },
        "metrics": {"cpu": {"start_time": "2026-11-01T00:00:00", "end_time": "2026-11-15T00:00:00"}},
    }],
    "score": 80, "strategy": {"name": "simple", "settings": {}},
}  # fmt: skip
KRR_TABLE = (
    "Namespace,Name,Pods,Old Pods,Type,Container,CPU Diff,CPU Requests,CPU Limits,Memory Diff,Memory Requests,"
    "Memory Limits\n"
    "shop,web,2,0,Deployment,web,-10m,(100m -> 35m),none,-1,(unset) -> 50Mi,(1Gi -> 60Mi)\n"
)
BOUNDS = {
    "containerName": "web", "lowerBound": {"cpu": "10m"}, "target": {"cpu": "35m", "memory": "50Mi"},
    "upperBound": {"cpu": "400m", "memory": "120Mi"},
}  # fmt: skip
GOLDILOCKS = {
    "Namespaces": {"shop": {"namespace": "shop", "workloads": {"web": {
        "controllerName": "web", "controllerType": "Deployment", "containers": {"web": BOUNDS},
    }}}}
}  # fmt: skip
PROMETHEUS = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [
        {
            "metric": {
                "__name__": "container_memory_working_set_bytes", "namespace": "shop", "pod": "web-6d4cf56db6-x7k2p",
                "container": "web",
            },
            "values": [[1763164800, "1048576"], [1763251200, "2097152"]],
        },
        {
            "metric": {
                "__name__": "container_cpu_usage_seconds_total", "namespace": "shop", "pod": "web-6d4cf56db6-x7k2p",
                "container": "web",
            },
            "values": [[1763164800, "100"], [1763164860, "106"], [1763164920, "109"]],
        },
    ]},
}  # fmt: skip
OF_KUBESCAPE = {
    "kubescape.io/workload-kind": "Deployment", "kubescape.io/workload-name": "web",
    "kubescape.io/workload-namespace": "shop", "kubescape.io/workload-container-name": "web",
}  # fmt: skip
RECORDED = {
    "capabilities": ["SETUID", "CHOWN"],
    "opens": [
        {"path": "/etc/nginx/nginx.conf", "flags": ["O_RDONLY"]},
        {"path": "/var/cache/nginx/client_temp", "flags": ["O_WRONLY", "O_CREAT"]},
        {"path": "/var/lib/web/⋯/data", "flags": ["O_RDWR"]},
        {"path": "/etc/nginx/conf.d/default.conf", "flags": ["O_RDWR"]},
        {"path": "/proc/7/attr/current", "flags": ["O_WRONLY"]},
    ],
    "syscalls": ["read"], "execs": [{"path": "/usr/sbin/nginx", "args": ["-g"]}, {"path": "/usr/bin/sudo"}],
}  # fmt: skip
CONTAINER_PROFILE = {
    "apiVersion": "spdx.softwarecomposition.kubescape.io/v1beta1", "kind": "ContainerProfile",
    "metadata": {"name": "x", "namespace": "kubescape", "labels": OF_KUBESCAPE},
    "spec": {
        **RECORDED, "imageID": f"docker.io/library/nginx@{DIGEST}", "imageTag": "nginx:1.27",
        "egress": [{"type": "external", "dns": "api.example.com.", "ports": [{"protocol": "TCP", "port": 443}]}],
    },
}  # fmt: skip
APPLICATION_PROFILE = {
    "apiVersion": "spdx.softwarecomposition.kubescape.io/v1beta1", "kind": "ApplicationProfile",
    "metadata": {"name": "x", "namespace": "shop", "labels": OF_KUBESCAPE},
    "spec": {"containers": [{"name": "web", **RECORDED}]},
}  # fmt: skip
NEIGHBORHOOD = {
    "apiVersion": "spdx.softwarecomposition.kubescape.io/v1beta1", "kind": "NetworkNeighborhood",
    "metadata": {"name": "x", "namespace": "shop", "labels": {**OF_KUBESCAPE, "kubescape.io/workload-name": "api"}},
    "spec": {"containers": [{"name": "api", "ingress": [{
        "type": "internal", "podSelector": {"matchLabels": {"app": "web"}},
        "ports": [{"protocol": "TCP", "port": 8080}],
    }]}]},
}  # fmt: skip
PLACE = {
    "namespace": "shop", "podName": "web-6d4cf56db6-x7k2p", "containerName": "web",
    "owner": {"kind": "Deployment", "name": "web"},
}  # fmt: skip
GADGET = [
    {"k8s": PLACE, "fname": "/data/a", "flags": "O_WRONLY|O_CREAT", "error": "", "timestamp": "2026-11-30T10:00:00Z"},
    {"k8s": PLACE, "fname": "/data/b", "flags": "O_WRONLY|O_CREAT", "error": "EROFS"},
    {"k8s": PLACE, "cap": "CAP_CHOWN", "capable": True},
    {
        "k8s": PLACE, "type": "connect",
        "dst": {"addr": "10.0.0.9", "port": 6379, "k8s": {"kind": "svc", "name": "cache", "namespace": "shop"}},
    },
]  # fmt: skip
SIDE = {"namespace": "shop", "pod_name": "web-6d4cf56db6-x7k2p", "workloads": [{"kind": "Deployment", "name": "web"}]}
OTHER = {"namespace": "shop", "pod_name": "api-0", "workloads": [{"kind": "StatefulSet", "name": "api"}]}
HUBBLE = [
    {"flow": {
        "time": "2026-11-02T09:00:00Z", "verdict": "FORWARDED", "source": SIDE, "destination": OTHER,
        "l4": {"TCP": {"source_port": 40000, "destination_port": 8080}}, "is_reply": False,
    }},
    {"flow": {
        "time": "2026-11-16T09:00:00Z", "verdict": "FORWARDED", "source": OTHER, "destination": SIDE,
        "l4": {"TCP": {"source_port": 8080, "destination_port": 40000}}, "is_reply": True,
    }},
    {"flow": {
        "time": "2026-11-16T09:00:00Z", "verdict": "DROPPED", "source": OTHER, "destination": SIDE,
        "l4": {"TCP": {"source_port": 40000, "destination_port": 22}}, "is_reply": False,
    }},
    {"flow": {
        "verdict": "FORWARDED", "source": SIDE, "destination": {"identity": 2, "labels": ["reserved:world"]},
        "l4": {"TCP": {"destination_port": 443}}, "is_reply": False,
    }},
]  # fmt: skip
CALICO = {
    "start_time": "2026-11-02T09:00:00Z", "end_time": "2026-11-02T09:05:00Z", "action": "allow", "proto": "tcp",
    "source_type": "wep", "source_namespace": "shop", "source_name": "web-6d4cf56db6-x7k2p",
    "source_name_aggr": "web-6d4cf56db6-*", "dest_type": "wep", "dest_namespace": "shop", "dest_name": "-",
    "dest_name_aggr": "api-0", "dest_port": 8080,
}  # fmt: skip
INTENTS = {
    "apiVersion": "k8s.otterize.com/v2beta1", "kind": "ClientIntents", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"workload": {"name": "web", "kind": "Deployment"}, "targets": [{"kubernetes": {"name": "api.data"}}]},
}  # fmt: skip

EXEC = {
    "k8s": PLACE,
    "exepath": "/usr/bin/sudo",
    "comm": "sudo",
    "args": "sudo id --token hunter2",
    "timestamp": "2026-11-30T10:00:00Z",
}
SERVICE = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "cache", "namespace": "shop"},
    "spec": {"selector": {"app": "cache"}, "ports": [{"port": 6379, "targetPort": 7000}]},
}  # fmt: skip
CACHE = {
    "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "cache", "namespace": "shop"},
    "spec": {"template": {"metadata": {"labels": {"app": "cache"}}, "spec": {"containers": [{"name": "cache"}]}}},
}  # fmt: skip
SLICE = {
    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
    "metadata": {"name": "cache-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "cache"}},
    "endpoints": [{"addresses": ["10.0.0.9"], "targetRef": {"kind": "Pod", "namespace": "shop", "name": "cache-0"}}],
    "ports": [{"port": 7000}],
}  # fmt: skip
NODE = {
    "apiVersion": "v1", "kind": "Node", "metadata": {"name": "ip-10-0-0-9"},
    "status": {"nodeInfo": {
        "kubeletVersion": "v1.36.2", "containerRuntimeVersion": "containerd://2.1.4", "osImage": "Debian GNU/Linux 13",
        "architecture": "amd64", "machineID": "0123456789abcdef",
    }},
}  # fmt: skip
CLUSTER = [
    NODE,
    {
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}},
    },
    {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "rancher.io/local-path",
        "metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-latest"},
    },
    {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1"}, "spec": {"podSelector": {}},
    },
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop"}},
]  # fmt: skip
ADVISED_CALLS = """\
// web
{
  "defaultAction": "SCMP_ACT_ERRNO",
  "architectures": ["SCMP_ARCH_X86_64"],
  "syscalls": [
    {
      "names": ["accept4", "bpf", "mount", "io_uring_setup"],
      "action": "SCMP_ACT_ALLOW"
    }
  ]
}
"""
ADVISED_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  creationTimestamp: null
  name: web-network
  namespace: shop
spec:
  egress:
  - ports:
    - {port: 7000, protocol: TCP}
    to:
    - podSelector: {matchLabels: {app: cache}}
  - ports:
    - {port: 443, protocol: TCP}
    to:
    - ipBlock: {cidr: 198.51.100.7/32}
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
"""
OF_RECORDING = {"spo.x-k8s.io/recording-id": "rec", "spo.x-k8s.io/container-id": "web"}
RECORDING = {
    "apiVersion": "security-profiles-operator.x-k8s.io/v1alpha1", "kind": "ProfileRecording",
    "metadata": {"name": "rec", "namespace": "shop"},
    "spec": {"kind": "SeccompProfile", "recorder": "bpf", "podSelector": {"matchLabels": {"app": "web"}}},
}  # fmt: skip
SECCOMP = {
    "apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile",
    "metadata": {
        "name": "rec-web", "namespace": "shop", "labels": OF_RECORDING, "creationTimestamp": "2026-11-20T08:00:00Z",
    },
    "spec": {
        "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [
            {"action": "SCMP_ACT_ALLOW", "names": ["read", "perf_event_open"]},
            {"action": "SCMP_ACT_ERRNO", "names": ["bpf"]},
        ],
    },
}  # fmt: skip
APPARMOR = {
    "apiVersion": "security-profiles-operator.x-k8s.io/v1", "kind": "AppArmorProfile",
    "metadata": {"name": "rec-web", "labels": {**OF_RECORDING, "spo.x-k8s.io/recording-namespace": "shop"}},
    "spec": {"abstract": {
        "filesystem": {
            "readOnlyPaths": ["/etc/passwd"], "writeOnlyPaths": ["/var/log/web/access.log"],
            "readWritePaths": ["/var/lib/web/*", "/etc/web/state"],
        },
        "capability": {"allowedCapabilities": ["net_bind_service"]},
        "executable": {"allowedExecutables": ["/usr/sbin/nginx", "/usr/bin/su"]},
    }},
}  # fmt: skip
CONFIG = {
    "architecture": "amd64", "os": "linux", "created": "2026-10-02T00:00:00Z",
    "config": {
        "User": "1000:1000", "ExposedPorts": {"8080/tcp": {}}, "Volumes": {"/data": {}}, "WorkingDir": "/srv",
        "Env": ["TOKEN=hunter2-of-the-image"], "Cmd": ["run", "--password", "hunter2-of-the-image"],
    },
    "rootfs": {"type": "layers", "diff_ids": [DIGEST]}, "history": [],
}  # fmt: skip
SPDX = {
    "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "acme/app",
    "creationInfo": {"created": "2026-10-03T00:00:00Z", "creators": ["Tool: syft-1.33.0"]},
    "packages": [
        {
            "name": "acme/app", "versionInfo": DIGEST, "primaryPackagePurpose": "CONTAINER",
            "externalRefs": [{
                "referenceType": "purl", "referenceLocator": f"pkg:oci/app@{DIGEST}?arch=amd64&tag=1.2.3",
            }],
        },
        {"name": "openjdk-21-jre-headless", "versionInfo": "21.0.8+9-1"},
        {"name": "libssl3", "versionInfo": "3.0.17-1"},
    ],
}  # fmt: skip
CYCLONE = {
    "bomFormat": "CycloneDX", "specVersion": "1.6",
    "metadata": {
        "timestamp": "2026-10-03T00:00:00Z", "component": {"type": "container", "name": "acme/db:1", "version": DIGEST},
    },
    "components": [
        {"type": "library", "name": "postgresql-17", "version": "17.6-0+deb13u1"},
        {"type": "library", "name": "python3.13", "version": "3.13.5-2"},
    ],
}  # fmt: skip
AUDIT = [
    {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "1", "stage": "ResponseComplete", "verb": verb,
        "user": {"username": "system:serviceaccount:shop:web", "groups": ["system:authenticated"]},
        "objectRef": {"resource": "configmaps", "namespace": "shop", "name": "settings", "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "stageTimestamp": f"2026-11-{day:02}T09:00:00.000000Z",
        "responseObject": {"data": {"password": "hunter2-of-the-log"}},
    }
    for verb, day in (("get", 2), ("update", 16))
]  # fmt: skip
THROTTLED = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [
        {
            "metric": {"__name__": name, "namespace": "shop", "pod": "web-6d4cf56db6-x7k2p", "container": "web"},
            "values": [[1763164800, "0"], [1763251200, last]],
        }
        for name, last in (
            ("container_cpu_cfs_periods_total", "1000"), ("container_cpu_cfs_throttled_periods_total", "250"),
        )
    ]},
}  # fmt: skip

ISTIO = {
    "status": "success",
    "data": {"resultType": "vector", "result": [
        {
            "metric": {
                "__name__": "istio_requests_total", "reporter": "source", "source_workload": source,
                "source_workload_namespace": "shop" if source != "unknown" else "unknown", "response_code": "200",
                "destination_workload": target,
                "destination_workload_namespace": "shop" if target == "api" else "unknown",
                "destination_service_name": service,
            },
            "value": [1763164800, "12"],
        }
        for source, target, service in (
            ("web", "api", "api"), ("web", "unknown", "PassthroughCluster"), ("unknown", "api", "api"),
            ("web", "unknown", "unknown"),
        )
    ]},
}  # fmt: skip

WEB = "Deployment/shop/web/web"
API = "StatefulSet/shop/api"
USAGE = "used: {cpu: 35m, cpuMost: 400m, memory: 50Mi, memoryMost: 120Mi}"
CALLS = ("calls: {refused: []}", "programs: {setuid: [/usr/bin/sudo]}")
WROTE = "wrote: {folders: [/var/cache/nginx, /var/lib/web], files: [/etc/nginx/conf.d/default.conf]}"
# A tool, its version and where its form is told: what it writes, and what is kept of it.
TOOLS: dict[str, tuple[Any, list[str]]] = {
    "kubectl 1.36, API reference of PodStatus": (
        [POD, DEPLOYMENT],
        [
            f'image: {{name: "nginx:1.27", digest: "{DIGEST}"}}', "ran: {uid: 101, gid: 101, byImage: true}",
            "used: {memoryMost: 64Mi, oomKilled: 1, restarts: 4}", "istio-proxy ran: {uid: 1337, gid: 1337}",
            "injected istio-proxy", "Deployment/shop/web: {app: web}",
        ],
    ),
    "kubectl 1.36, Services and EndpointSlices: a port of a Service is one of its pods": (
        [GADGET[3], SERVICE, SLICE],
        ["Deployment/shop/web -> StatefulSet/shop/cache:7000"],
    ),
    "kubectl 1.36, a Service whose selector shows its pods": (
        [GADGET[3], SERVICE, CACHE],
        ["Deployment/shop/web -> StatefulSet/shop/cache:7000", "StatefulSet/shop/cache: {app: cache}"],
    ),
    "kubectl 1.36, what holds for a cluster": (
        CLUSTER,
        [
            "Namespace shop {'enforce': 'baseline'}", "NetworkPolicy shop/web {}",
            "Node v1.36.2 containerd://2.1.4 {'architecture': 'amd64', 'os': 'Debian GNU/Linux 13'}",
            "StorageClass local {'default': 'true', 'provisioner': 'rancher.io/local-path'}",
            "ValidatingAdmissionPolicy no-latest {}",
        ],
    ),
    "kubectl 1.36, a Helm release": (
        {**DEPLOYMENT, "metadata": {**METADATA, "annotations": {"meta.helm.sh/release-name": "eu"}}},
        ["Deployment/shop/web: eu {app: web}"],
    ),
    "Prometheus 3 HTTP API, throttling of cAdvisor": (
        THROTTLED, ["2025-11-15 to 2025-11-16", "used: {throttled: 250m}"],
    ),
    "audit log, audit.k8s.io/v1": (
        AUDIT,
        [
            "2026-11-02 to 2026-11-16",
            "shop/web 2 events: get update configmaps in shop named settings",
        ],
    ),
    "Security Profiles Operator, SeccompProfile v1beta1": (
        [SECCOMP, RECORDING, DEPLOYMENT],
        ["2026-11-20", "calls: {refused: [perf_event_open]}", "Deployment/shop/web: {app: web}"],
    ),
    "Security Profiles Operator, AppArmorProfile v1": (
        [APPARMOR, RECORDING, DEPLOYMENT],
        [
            "wrote: {folders: [/var/lib/web, /var/log/web], files: [/etc/web/state]}",
            "capabilities: {used: [NET_BIND_SERVICE]}", "programs: {setuid: [/usr/bin/su]}",
            "Deployment/shop/web: {app: web}",
        ],
    ),
    "Inspektor Gadget 0.40, trace_exec": (EXEC, ["2026-11-30", "programs: {setuid: [/usr/bin/sudo]}"]),
    "Inspektor Gadget 0.40, advise_seccomp with -o json": (
        [{"text": ADVISED_CALLS}, GADGET[0]],
        ["2026-11-30", "wrote: {folders: [/data]}", "calls: {refused: [bpf, io_uring_setup]}"],
    ),
    "Inspektor Gadget 0.40, advise_networkpolicy with -o json": (
        [{"text": ADVISED_POLICY}, DEPLOYMENT, CACHE],
        [
            "Deployment/shop/web -> StatefulSet/shop/cache:7000", "Deployment/shop/web -> outside:443",
            "Deployment/shop/web: {app: web}", "StatefulSet/shop/cache: {app: cache}",
        ],
    ),
    "SPDX 2.3 json of syft 1.33": (SPDX, ["2026-10-03", "acme/app:1.2.3 holds: {runtimes: [java 21.0.8]}"]),
    "CycloneDX 1.6 json of trivy and syft": (
        CYCLONE,
        ["2026-10-03", "acme/db:1 holds: {runtimes: [python 3.13.5], servers: [postgresql 17.6]}"],
    ),
    "VerticalPodAutoscaler, autoscaling.k8s.io/v1": (AUTOSCALER, [USAGE]),
    "krr 1.2x json, robusta_krr/core/models/result.py": (
        KRR, ["2026-11-01 to 2026-11-15", "used: {cpu: 35m, memory: 50Mi, memoryMost: 60Mi}"],
    ),
    "krr 1.2x csv": (KRR_TABLE, ["used: {cpu: 35m, memory: 50Mi, memoryMost: 60Mi}"]),
    "Goldilocks 4.x summary, pkg/summary/summary.go": (GOLDILOCKS, [USAGE]),
    "Prometheus 3 HTTP API, prometheus.io/docs/prometheus/latest/querying/api": (
        PROMETHEUS, ["2025-11-15 to 2025-11-16", "used: {cpu: 75m, cpuMost: 100m, memory: 2Mi, memoryMost: 2Mi}"],
    ),
    "kubescape ContainerProfile, storage v1beta1": (
        CONTAINER_PROFILE,
        [
            f'image: {{name: "nginx:1.27", digest: "{DIGEST}"}}', WROTE,
            "capabilities: {used: [CHOWN, SETUID]}", *CALLS,
            "Deployment/shop/web -> outside:443",
        ],
    ),
    "kubescape ApplicationProfile, storage v1beta1": (
        APPLICATION_PROFILE, [WROTE, "capabilities: {used: [CHOWN, SETUID]}", *CALLS],
    ),
    "kubescape NetworkNeighborhood with the pods of kubectl": (
        [NEIGHBORHOOD, DEPLOYMENT],
        ["Deployment/shop/web -> Deployment/shop/api:8080", "Deployment/shop/web: {app: web}"],
    ),
    "Inspektor Gadget 0.30 on, trace_open, trace_capabilities, trace_tcp": (
        GADGET,
        [
            "2026-11-30", "wrote: {folders: [/data]}", "capabilities: {used: [CHOWN]}",
            "Deployment/shop/web -> Service/shop/cache:6379",
        ],
    ),
    "Hubble 1.18 jsonpb, cilium api/v1/flow/flow.proto": (
        HUBBLE,
        [
            "2026-11-02 to 2026-11-16", f"Deployment/shop/web -> {API}:8080", "Deployment/shop/web -> outside:443",
        ],
    ),
    "Hubble 1.18, what a policy would refuse, what a proxy takes, and probes of the node": (
        [
            {"flow": {**HUBBLE[0]["flow"], "verdict": "AUDIT"}},
            {"flow": {**HUBBLE[3]["flow"], "verdict": "REDIRECTED"}},
            {"flow": {
                **HUBBLE[0]["flow"], "source": {"identity": 1, "labels": ["reserved:host"]},
            }},
            {"flow": {**{key: each for key, each in HUBBLE[1]["flow"].items() if key != "is_reply"}}},
        ],
        ["2026-11-02", f"Deployment/shop/web -> {API}:8080", "Deployment/shop/web -> outside:443"],
    ),
    "Calico flow logs, docs.tigera.io observability/elastic/flow/datatypes": (
        CALICO, ["2026-11-02", f"Deployment/shop/web -> {API}:8080"],
    ),
    "Istio 1.27, istio_requests_total by the HTTP API of Prometheus, istio.io/latest/docs/reference/config/metrics": (
        ISTIO, ["2025-11-15", "*/shop/web -> */shop/api", "*/shop/web -> outside"],
    ),
    "ClientIntents v2beta1, otterize/intents-operator": (INTENTS, ["Deployment/shop/web -> */data/api"]),
}  # fmt: skip
FORMS = ("json", "lines", "List", "yaml", "gzip")


def written(folder: Path, content: Any, form: str = "lines") -> Path:
    """A file of an export: JSON in one document, JSON lines, a List, YAML, or gzip."""
    path = folder / f"export.{form}"
    if isinstance(content, str):
        path.write_text(content)
        return path
    several = content if isinstance(content, list) else [content]
    if form == "List":
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": several}, indent=1))
    elif form == "json":
        path.write_text(json.dumps(several, indent=1))
    elif form == "yaml":
        path.write_text("".join(f"---\n{json.dumps(each)}\n" for each in several).replace("---\n{", "---\n {"))
    else:
        raw = "".join(f"{json.dumps(each)}\n" for each in several).encode()
        path.write_bytes(gzip.compress(raw) if form == "gzip" else raw)
    return path


def read(*paths: Path) -> tuple[Recorded, list[Outcome]]:
    collector = Collector(TODAY)
    outcomes = [read_file(str(path), collector) for path in paths]
    return collector.result(), outcomes


def told(found: Recorded) -> Iterator[str]:
    """What is kept, as the table of tools writes it."""
    for key in found.sources:
        if found.days(key) != TODAY:
            yield found.days(key)
    for name, facts in found.containers.items():
        yield from (
            f"{name.removeprefix(WEB.rpartition('/')[0] + '/')} {line}".removeprefix("web ") for line in lines(facts)
        )
    yield from (f"injected {', '.join(names)}" for names in found.injected.values())
    for peer in found.peers:
        yield f"{peer.source} -> {peer.target}" + (f":{peer.port}" if peer.port else "")
    for image, of_image in found.images.items():
        yield from (f"{image} holds: {{{kept_file.spelled('holds', each)}}}" for each in of_image.holds)
    for name, about in found.workloads.items():
        labels = ", ".join(": ".join(label) for label in about.labels)
        yield f"{name}: " + (f"{about.release} " if about.release else "") + f"{{{labels}}}"
    for name, accounts in found.accounts.items():
        for each in accounts:
            did = "; ".join(
                f"{' '.join(r.verbs)} {r.resource} in {r.namespace} named {' '.join(r.names)}" for r in each.did
            )
            yield f"{name} {each.events} events: {did}"
    yield from (f"{fact.kind} {fact.name} {dict(fact.said)}" for fact in found.cluster)


def lines(facts: Facts) -> Iterator[str]:
    keys = {
        "images": "image",
        "ran": "ran",
        "writes": "wrote",
        "capabilities": "capabilities",
        "usage": "used",
        "calls": "calls",
        "programs": "programs",
    }
    for field, key in keys.items():
        for fact in getattr(facts, field):
            yield f"{key}: {{{kept_file.spelled(field, fact)}}}"


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_writes_is_kept_as_these_facts(tool: str, tmp_path: Path) -> None:
    content, wanted = TOOLS[tool]
    found, (outcome,) = read(written(tmp_path, content))
    assert (sorted(told(found)), outcome.problem) == (sorted(wanted), None)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_says_the_same_in_each_form(form: str, tmp_path: Path) -> None:
    found, _ = read(written(tmp_path, [POD, DEPLOYMENT, AUTOSCALER], form))
    assert list(found.containers[WEB].__struct_fields__) and found.containers[WEB].usage[0].cpu_most == 400
    assert found.containers[WEB].ran[0].uid == 101


def test_the_items_of_a_typed_list_have_its_kind(tmp_path: Path) -> None:
    bare = {key: value for key, value in POD.items() if key not in ("apiVersion", "kind")}
    found, _ = read(written(tmp_path, {"apiVersion": "v1", "kind": "PodList", "items": [bare]}))
    assert WEB in found.containers


LOGS = (
    '==== START logs for container web of pod shop/web-6d4cf56db6-x7k2p ====\n{[" broken [\n==== END logs for it ====\n'
)


def test_a_dump_of_a_cluster_is_read_past_its_logs(tmp_path: Path) -> None:
    """Typed lists, printed one after another: their items name no kind, and logs stand between them."""
    bare = {key: value for key, value in POD.items() if key not in ("apiVersion", "kind")}
    bare["status"] = {**POD["status"], "phase": "Running"}  # type: ignore[dict-item]
    runs = {"metadata": DEPLOYMENT["metadata"], "spec": {**DEPLOYMENT["spec"], "strategy": {}}}  # type: ignore[dict-item]
    node = {"metadata": NODE["metadata"], "status": NODE["status"]}
    lists = [("NodeList", [node]), ("DeploymentList", [runs]), ("PodList", [bare])]
    texts = [json.dumps({"kind": kind, "apiVersion": "v1", "items": items}, indent=4) for kind, items in lists]
    path = tmp_path / "dump.json"
    path.write_text(f"{texts[0]}\n{texts[1]}\n{LOGS}{texts[2]}\n{LOGS}")
    found, (outcome,) = read(path)
    assert (outcome.told, outcome.broken, outcome.problem) == (3, 0, None)
    assert found.containers[WEB].ran[0].uid == 101 and found.injected == {"Deployment/shop/web": ("istio-proxy",)}
    assert [fact.kind for fact in found.cluster] == ["Node"]


def test_no_value_of_a_variable_and_no_name_of_a_pod_is_kept(tmp_path: Path) -> None:
    found, _ = read(written(tmp_path, [POD, DEPLOYMENT, *GADGET, *HUBBLE]))
    text = kept_file.written(found)
    assert "hunter2" not in text and "x7k2p" not in text and "10.0.0.9" not in text


INSPECTED = {
    "Id": f"sha256:{'c' * 64}", "RepoTags": ["acme/app:1", "localhost/built:2"],
    "RepoDigests": [f"acme/app@{DIGEST}"], "Created": "2026-01-02T00:00:00Z", "Os": "linux", "Architecture": "amd64",
    "Config": {"User": "1000", "ExposedPorts": {"8080/tcp": {}}, "Env": ["TOKEN=hunter2-of-the-image"], "Cmd": ["run"]},
}  # fmt: skip


def test_an_image_that_an_engine_describes_goes_into_the_lock(harden: Harden, tmp_path: Path) -> None:
    path = written(tmp_path, [INSPECTED], "json")
    assert harden("import", str(path)).status == 0
    text = (tmp_path / "harden.lock").read_text()
    assert f"digest: {DIGEST}" in text.replace('"', "") and "hunter2" not in text and "localhost/built" not in text
    lock = load(str(tmp_path))
    reference = parse("acme/app:1")
    assert lock is not None and reference is not None
    locked = lock.find(reference)
    assert locked is not None and (locked.config.user, locked.platforms) == ("1000", ("linux/amd64",))
    assert "harden.lock" not in harden("import", str(path)).out


OWNERS = {
    "web-6d4cf56db6-x7k2p": "Deployment/shop/web",
    "db-0": "StatefulSet/shop/db",
    "agent-x7k2p": "DaemonSet/shop/agent",
    "backup-28912345-x7k2p": "CronJob/shop/backup",
    "alone": "Pod/shop/alone",
}


@pytest.mark.parametrize("name", OWNERS)
def test_a_pod_without_an_owner_is_named_as_controllers_name_theirs(name: str, tmp_path: Path) -> None:
    pod = copy.deepcopy(POD)
    pod["metadata"] = {"name": name, "namespace": "shop"}
    found, _ = read(written(tmp_path, pod))
    assert {key.rpartition("/")[0] for key in found.containers} == {OWNERS[name]}


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "no export": ("hello: world\n", "nothing that harden import reads"),
    "broken JSON": ('{"kind": "Pod", ', "nothing that harden import reads"),
    "broken YAML": ("a: [1,\n", "line 2"),
    "no text": (b"\xff\xfe\x00a", "not UTF-8"),
    "a secret": ("apiVersion: v1\nkind: Secret\ndata: {a: aGk=}\n", "nothing that harden import reads"),
    "an empty file": ("", "nothing that harden import reads"),
    "deep nesting": ("[" * 100_000, "nothing that harden import reads"),
    "half of a gzip": (gzip.compress(json.dumps(POD).encode())[:60], "cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_export_is_one_line(case: str, tmp_path: Path) -> None:
    content, wanted = BROKEN[case]
    path = tmp_path / "export"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    _, (outcome,) = read(path)
    assert outcome.problem is not None and wanted in outcome.problem and "\n" not in outcome.problem


def test_a_broken_line_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "flows.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in HUBBLE[:1]) + '{"flow": \n' + f"{json.dumps(POD)}\n")
    found, (outcome,) = read(path)
    assert (outcome.told, outcome.broken, len(found.peers)) == (2, 1, 1)


def everywhere(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place of ``value``: the collection, and the key or index in it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(pairs):
        yield value, key
        yield from everywhere(each)


WRONG: tuple[Any, ...] = (None, -1, 1 << 80, 1e400, "", "x" * 70, [], {}, [[]], [None], {"a": None}, True)


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if not isinstance(TOOLS[tool][0], str)])
def test_wrong_types_anywhere_break_nothing(tool: str, tmp_path: Path) -> None:
    content = TOOLS[tool][0]
    rng = random.Random(tool)
    count = sum(1 for _ in everywhere(content))
    every = 1 if os.environ.get("HARDEN_CASES") == "all" else 5
    for place in range(rng.randrange(every), count, every):
        changed = copy.deepcopy(content)
        holder, key = list(everywhere(changed))[place]
        holder[key] = rng.choice(WRONG)
        found, _ = read(written(tmp_path, changed))
        writer.save(str(tmp_path), found)
        assert kept_file.load(str(tmp_path)) == found


def test_folders_stand_for_the_exports_in_them(tmp_path: Path) -> None:
    for name in ("b/pods.json", "a.yaml", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [Path(path).name for path in files_of([str(tmp_path)])] == ["a.yaml", "pods.json"]


def test_the_same_export_again_takes_its_own_place(tmp_path: Path) -> None:
    one, _ = read(written(tmp_path, [POD, DEPLOYMENT, AUTOSCALER]))
    assert merged(one, one) == one


def test_a_container_that_is_injected_no_more_is_forgotten(tmp_path: Path) -> None:
    before, _ = read(written(tmp_path, [POD, DEPLOYMENT]))
    pod = copy.deepcopy(POD)
    del pod["spec"]["containers"][1]  # type: ignore[index]
    after, _ = read(written(tmp_path, [pod, DEPLOYMENT]))
    assert before.injected and merged(before, after).injected == {}
    others, _ = read(written(tmp_path, [DEPLOYMENT]))
    assert merged(before, others).injected == before.injected


def test_two_sources_are_both_kept_the_newer_first(tmp_path: Path) -> None:
    old, _ = read(written(tmp_path, KRR))
    (tmp_path / "new").mkdir()
    new, _ = read(written(tmp_path / "new", AUTOSCALER))
    both = merged(old, new)
    assert [both.sources[usage.by].tool for usage in both.containers[WEB].usage] == ["VerticalPodAutoscaler", "krr"]
    assert both.without(["a2"]) == old


WRONG_FILES = {
    "another version": ("version: 9\n", "version 9 is of another harden"),
    "an unknown key": ("version: 1\nfoo: 1\n", "foo"),
    "an unknown fact": ("version: 1\ncontainers:\n  a/b/c/d:\n  - ate: {by: a1}\n", ":4: ate is no fact"),
    "no source": ("version: 1\ncontainers:\n  a/b/c/d:\n  - ran: {uid: 1, by: a1}\n", "a1 is none of its sources"),
    "a short name": (
        "version: 1\nsources:\n  a1: {tool: t, file: f, to: '2026-01-01'}\n"
        "containers:\n  a/b:\n  - ran: {uid: 1, by: a1}\n",
        "write it as KIND/NAMESPACE/NAME/CONTAINER",
    ),
    "a peer without a namespace": (
        "version: 1\nsources:\n  a1: {tool: t, file: f, to: '2026-01-01'}\n"
        "peers:\n- {from: web, to: Deployment/shop/api, by: a1}\n",
        "peers: web: write it as KIND/NAMESPACE/NAME",
    ),
    "a port that there is not": (
        "version: 1\nsources:\n  a1: {tool: t, file: f, to: '2026-01-01'}\n"
        "peers:\n- {from: outside, to: Deployment/shop/api, port: 70000, by: a1}\n",
        "peers: 70000/TCP is no port of TCP, UDP or SCTP",
    ),
    "an injected container of no workload": ("version: 1\ninjected:\n  web: [x]\n", "write it as KIND/NAMESPACE/NAME"),
    "no day": ("version: 1\nsources:\n  a1: {tool: t, file: f, to: yesterday}\n", "a day looks like"),
    "a day that there is not": (
        "version: 1\nsources:\n  a1: {tool: t, file: f, to: '2026-13-45'}\n", "a day looks like"
    ),
    "a path that leads out": (
        "version: 1\nsources:\n  a1: {tool: t, file: f, to: '2026-01-01'}\ncontainers:\n  a/b/c/d:\n"
        "  - wrote: {folders: [../x], by: a1}\n",
        "is no path of an image",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_kept_file_that_is_wrong_says_what_to_write(case: str, tmp_path: Path) -> None:
    content, wanted = WRONG_FILES[case]
    (tmp_path / kept_file.NAME).write_text(content)
    with pytest.raises(InputError, match=kept_file.NAME) as raised:
        kept_file.load(str(tmp_path))
    assert wanted in str(raised.value)


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("version: 1\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / kept_file.NAME).symlink_to(tmp_path / "out.yaml")
    with pytest.raises(InputError, match="link"):
        kept_file.load(str(tmp_path / "tree"))


def test_what_500_workloads_keep_is_no_more_than_500_kilobytes(tmp_path: Path) -> None:
    one, _ = read(written(tmp_path, [POD, DEPLOYMENT, AUTOSCALER, APPLICATION_PROFILE, *HUBBLE]))
    many = Recorded(
        one.sources,
        {f"Deployment/shop/web-{number}/web": one.containers[WEB] for number in range(500)},
        {},
        tuple(Peer(f"Deployment/shop/web-{n}", f"Deployment/shop/web-{n // 2}", 80, "a1") for n in range(1, 1000)),
        workloads={f"Deployment/shop/web-{number}": one.workloads["Deployment/shop/web"] for number in range(500)},
    )
    assert len(kept_file.written(many)) <= 500_000


def test_the_page(harden: Harden, tmp_path: Path) -> None:
    """The commands of docs/import.md, but for the one that needs a cluster, and what they print."""
    page = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    get, *commands = re.findall(r"```sh\n(.*?)```", page, re.S)[0].splitlines()
    assert get.endswith("> pods.json") and commands == ["harden import pods.json", "harden apply k8s"]
    objects = [POD, DEPLOYMENT, AUTOSCALER, APPLICATION_PROFILE]
    (tmp_path / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=1))
    shown = re.findall(r"```text\n(.*?)```", page, re.S)[0]
    said = harden("import", "pods.json").out.partition("harden.evidence.yaml: ")
    assert said[0] == shown.partition("harden.evidence.yaml: ")[0]
    counts = re.compile(r"[0-9]+ (\w+?)s?\b")  # 1 container, 3 sources
    assert counts.sub(r"N \1", said[2].splitlines()[0]) == counts.sub(r"N \1", shown.splitlines()[1][22:])
