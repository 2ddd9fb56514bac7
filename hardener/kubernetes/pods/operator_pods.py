"""Objects of which a controller of the cluster makes workloads, so that a tree does not show their pods, as plain data.

Sources: the API references of Flux (kustomize- and helm-controller), k3s helm-controller, Argo CD, Crossplane, Fleet,
Carvel, KubeVela and OLM; of the operators, the kinds of which each of them makes pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.support.data_path import Path, value_at

Kind = tuple[str, str]  # API group and kind

RENDERED_ELSEWHERE: frozenset[Kind] = frozenset({
    ("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.fluxcd.io", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.cattle.io", "HelmChart"), ("helm.cattle.io", "HelmChartConfig"),
    ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"),
    ("helm.crossplane.io", "Release"), ("fleet.cattle.io", "Bundle"), ("fleet.cattle.io", "GitRepo"),
    ("kappctrl.k14s.io", "App"), ("packaging.carvel.dev", "PackageInstall"), ("core.oam.dev", "Application"),
    ("operators.coreos.com", "Subscription"),
})  # fmt: skip
"""What names manifests, or a chart, that a controller applies."""

# Group: the kinds of which its operator makes pods. What only configures them (PrometheusRule, KafkaTopic) is not here.
_OPERATED = {
    "monitoring.coreos.com": "Prometheus PrometheusAgent Alertmanager ThanosRuler",
    "operator.victoriametrics.com": (
        "VLAgent VLCluster VLogs VLSingle VMAgent VMAlert VMAlertmanager VMAnomaly VMAuth VMCluster VMSingle VTCluster"
        " VTSingle"
    ),
    "grafana.integreatly.org": "Grafana",
    "loki.grafana.com": "LokiStack",
    "tempo.grafana.com": "TempoStack TempoMonolithic",
    "jaegertracing.io": "Jaeger",
    "opentelemetry.io": "OpenTelemetryCollector",
    "kafka.strimzi.io": "Kafka KafkaBridge KafkaConnect KafkaMirrorMaker KafkaMirrorMaker2 KafkaNodePool",
    "core.strimzi.io": "StrimziPodSet",
    "cluster.redpanda.com": "Redpanda",
    "zookeeper.pravega.io": "ZookeeperCluster",
    "acid.zalan.do": "postgresql",
    "postgresql.cnpg.io": "Cluster Pooler",
    "postgres-operator.crunchydata.com": "PostgresCluster PGAdmin",
    "stackgres.io": "SGCluster SGShardedCluster",
    "mysql.oracle.com": "InnoDBCluster",
    "k8s.mariadb.com": "MariaDB MaxScale",
    "pxc.percona.com": "PerconaXtraDBCluster",
    "ps.percona.com": "PerconaServerMySQL",
    "psmdb.percona.com": "PerconaServerMongoDB",
    "pgv2.percona.com": "PerconaPGCluster",
    "mongodbcommunity.mongodb.com": "MongoDBCommunity",
    "mongodb.com": "MongoDB MongoDBMultiCluster MongoDBOpsManager",
    "elasticsearch.k8s.elastic.co": "Elasticsearch",
    "kibana.k8s.elastic.co": "Kibana",
    "apm.k8s.elastic.co": "ApmServer",
    "agent.k8s.elastic.co": "Agent",
    "beat.k8s.elastic.co": "Beat",
    "logstash.k8s.elastic.co": "Logstash",
    "enterprisesearch.k8s.elastic.co": "EnterpriseSearch",
    "opensearch.opster.io": "OpenSearchCluster",
    "logging.banzaicloud.io": "Logging",
    "redis.redis.opstreelabs.in": "Redis RedisCluster RedisReplication RedisSentinel",
    "databases.spotahome.com": "RedisFailover",
    "app.redislabs.com": "RedisEnterpriseCluster",
    "dragonflydb.io": "Dragonfly",
    "rabbitmq.com": "RabbitmqCluster",
    "cassandra.datastax.com": "CassandraDatacenter",
    "k8ssandra.io": "K8ssandraCluster",
    "scylla.scylladb.com": "ScyllaCluster",
    "clickhouse.altinity.com": "ClickHouseInstallation",
    "clickhouse-keeper.altinity.com": "ClickHouseKeeperInstallation",
    "crdb.cockroachlabs.com": "CrdbCluster",
    "minio.min.io": "Tenant",
    "ceph.rook.io": "CephCluster CephFilesystem CephObjectStore CephNFS",
    "k8s.keycloak.org": "Keycloak",
    "gateway.envoyproxy.io": "EnvoyProxy",
    "pkg.crossplane.io": "DeploymentRuntimeConfig",
    "toolhive.stacklok.dev": "MCPServer MCPRemoteProxy VirtualMCPServer EmbeddingServer MCPRegistry",
    "volsync.backube": "ReplicationSource ReplicationDestination",
    "maps.k8s.elastic.co": "ElasticMapsServer",
    "solr.apache.org": "SolrCloud",
    "flink.apache.org": "FlinkDeployment",
    "sparkoperator.k8s.io": "SparkApplication ScheduledSparkApplication",
    "argoproj.io": "ArgoCD CronWorkflow EventBus EventSource Sensor Workflow",
    "tekton.dev": "PipelineRun TaskRun",
    "actions.github.com": "AutoscalingRunnerSet EphemeralRunner EphemeralRunnerSet",
    "actions.summerwind.dev": "Runner RunnerDeployment RunnerReplicaSet RunnerSet",
    "kubevirt.io": "VirtualMachine VirtualMachineInstance",
    "install.istio.io": "IstioOperator",
    "sailoperator.io": "Istio IstioCNI ZTunnel",
    "maistra.io": "ServiceMeshControlPlane",
}
OPERATED: frozenset[Kind] = frozenset((group, kind) for group, kinds in _OPERATED.items() for kind in kinds.split())
"""What describes an application, of which an operator makes the pods."""

_FLUX = ("kustomize.toolkit.fluxcd.io", "Kustomization")
# Where each says the namespace that its objects come out in, where that is not its own; the first that is there holds.
_TARGETS: dict[Kind, tuple[tuple[str, ...], ...]] = {
    ("helm.toolkit.fluxcd.io", "HelmRelease"): (("spec", "targetNamespace"),),
    ("helm.fluxcd.io", "HelmRelease"): (("spec", "targetNamespace"),),
    _FLUX: (("spec", "targetNamespace"),),
    ("helm.cattle.io", "HelmChart"): (("spec", "targetNamespace"),),
    ("argoproj.io", "Application"): (("spec", "destination", "namespace"),),
    ("argoproj.io", "ApplicationSet"): (("spec", "template", "spec", "destination", "namespace"),),
    ("helm.crossplane.io", "Release"): (("spec", "forProvider", "namespace"),),
    ("fleet.cattle.io", "Bundle"): (("spec", "namespace"), ("spec", "targetNamespace"), ("spec", "defaultNamespace")),
    ("fleet.cattle.io", "GitRepo"): (("spec", "targetNamespace"),),
    ("kappctrl.k14s.io", "App"): (("spec", "cluster", "namespace"), ("spec", "defaultNamespace")),
}  # fmt: skip
# The controllers put what has no namespace into the one of the object itself; Argo CD does not.
_NEVER_ITS_OWN = frozenset({("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet")})


def target_namespace(kind: Kind, document: Mapping[str, Any]) -> str | None:
    """The namespace that ``document`` puts its objects into, as written; None where it names none."""
    for path in _TARGETS.get(kind, ()):
        found = value_at(document, path)
        if isinstance(found, str) and found:
            return found
    return None


def falls_to_its_own(kind: Kind) -> bool:
    """Whether objects without a namespace come out in the one of the object that names them."""
    return kind not in _NEVER_ITS_OWN


def source_folders(kind: Kind, document: Mapping[str, Any]) -> list[str] | None:
    """The folders of a Git repository, all that ``document`` applies manifests from; None where it is anything else (a
    chart, a bucket, an image)."""
    if kind == _FLUX:
        if value_at(document, ("spec", "sourceRef", "kind")) != "GitRepository":
            return None
        sources: list[Any] = [document.get("spec")]
    elif kind == ("argoproj.io", "Application"):
        several = value_at(document, ("spec", "sources"))
        sources = several if isinstance(several, list) else [value_at(document, ("spec", "source"))]
    else:
        return None
    if not all(isinstance(source, dict) and "chart" not in source and "helm" not in source for source in sources):
        return None
    found = [source.get("path") for source in sources if "path" in source or "ref" not in source]
    return found if found and all(isinstance(path, str) for path in found) else None


def chart(document: Mapping[str, Any]) -> str | None:
    """The name of the Helm chart that ``document`` renders; None where it names none."""
    for path in (
        ("spec", "chart", "spec", "chart"),
        ("spec", "chart", "name"),
        ("spec", "chart"),
        ("spec", "source", "chart"),
        ("spec", "forProvider", "chart", "name"),
    ):
        found = value_at(document, path)
        if isinstance(found, str) and found:
            return found.rstrip("/").rpartition("/")[2]
    return None


def values(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The values that ``document`` gives to a chart, as far as they stand in it as data."""
    yield from (found for _, found in placed_values(document))


def placed_values(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """``values``, each with its place."""
    path: Path
    for path in (("spec", "values"), ("spec", "forProvider", "values")):
        if isinstance(found := value_at(document, path), dict):
            yield path, found
    for path, source in _argo_sources(document):
        if isinstance(found := value_at(source, ("helm", "valuesObject")), dict):
            yield (*path, "helm", "valuesObject"), found


def parameters(document: Mapping[str, Any]) -> Iterator[str]:
    """The dotted names of the values that an Application of Argo CD sets one by one (`image.tag`)."""
    for _, source in _argo_sources(document):
        found = value_at(source, ("helm", "parameters"))
        for entry in found if isinstance(found, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                yield entry["name"]


def chart_folders(document: Mapping[str, Any]) -> Iterator[str]:
    """The folders of a Git repository that it may take a chart from, as written."""
    found = [value_at(document, ("spec", "chart", "spec", "chart")), value_at(document, ("spec", "chart"))]
    found += [value_at(source, ("path",)) for _, source in _argo_sources(document)]
    yield from (name for name in found if isinstance(name, str))


def _argo_sources(document: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for start in (("spec",), ("spec", "template", "spec")):
        spec = value_at(document, start)
        if isinstance(spec, dict):
            yield (*start, "source"), spec.get("source")
            several = spec.get("sources")
            for index, source in enumerate(several if isinstance(several, list) else ()):
                yield (*start, "sources", index), source
