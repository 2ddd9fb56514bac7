"""Custom resources that hold a pod, or containers, of which their operator makes the pods: one row for each group.

A row says where the pod stands, where its containers stand in it, and which fields of a container the operator takes.
Each names the file of the API types that says so, with the version that was read. Objects within an object, such as
those of a template of OpenShift, have rows of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from hardener.kubernetes.pods.pod_template import expanded
from hardener.support.data_path import Path

Kind = tuple[str, str]  # API group and kind


class OperatorTemplate(NamedTuple):
    """Where an operator takes a pod from.

    - ``pods``: the places of it, as patterns from the object; what stands there has the fields of a pod spec.
    - ``containers``: the places of the containers in each, as patterns from there; () is the pod itself.
    - ``takes``: the fields of a container that may be written; None is every field.
    - ``is_merged``: it is laid over a pod of the operator's own, so that only what loosens that is taken away.
    - ``source``: the file that says so, with its version.
    """

    versions: tuple[str, ...]
    pods: tuple[Path, ...]
    containers: tuple[Path, ...]
    takes: frozenset[str] | None
    is_merged: bool
    source: str


def _paths(texts: Iterable[str]) -> tuple[Path, ...]:
    return tuple(tuple(text.split(".")) if text else () for text in texts)


_POD = "initContainers.* containers.*"
_ARGO = "container script initContainers.* sidecars.* containerSet.containers.*"
_TEKTON = "steps.* sidecars.*"
_NO_RESOURCES = frozenset({"image", "securityContext"})  # a step calls its resources computeResources since v1

_FOUND: dict[Kind, OperatorTemplate] = {}


def _row(
    group: str, kinds: str, versions: str, source: str, pods: str, containers: str = _POD, *,
    takes: frozenset[str] | None = None, is_merged: bool = False,
) -> None:  # fmt: skip
    """A row for each of ``kinds``; patterns are parted by blanks, and "." alone is the place itself."""
    inside = _paths("" if each == "." else each for each in containers.split())
    found = OperatorTemplate(tuple(versions.split()), _paths(pods.split()), inside, takes, is_merged, source)
    for kind in kinds.split():
        _FOUND[group, kind] = found


def _merged(group: str, kinds: str, versions: str, source: str, pods: str, containers: str = _POD) -> None:
    _row(group, kinds, versions, source, pods, containers, is_merged=True)


# Workflows and pipelines: the containers are the author's, the pod is the controller's.
_WORKFLOWS = "argo-workflows v3.6 pkg/apis/workflow/v1alpha1/workflow_types.go"
_row("argoproj.io", "Workflow WorkflowTemplate ClusterWorkflowTemplate", "v1alpha1", _WORKFLOWS,
     "spec.templates.* spec.templateDefaults", _ARGO)  # fmt: skip
_row("argoproj.io", "CronWorkflow", "v1alpha1", _WORKFLOWS,
     "spec.workflowSpec.templates.* spec.workflowSpec.templateDefaults", _ARGO)  # fmt: skip
_row("argoproj.io", "Sensor EventSource", "v1alpha1", "argo-events v1.9 pkg/apis/events/v1alpha1/template.go",
     "spec.template", "container", is_merged=True)  # fmt: skip
_STEPS = "tektoncd/pipeline v1.0 pkg/apis/pipeline/v1/container_types.go, task_types.go"
for _kinds, _pods in (
    ("Task ClusterTask", "spec"),
    ("TaskRun", "spec.taskSpec"),
    ("Pipeline", "spec.tasks.*.taskSpec spec.finally.*.taskSpec"),
    ("PipelineRun", "spec.pipelineSpec.tasks.*.taskSpec spec.pipelineSpec.finally.*.taskSpec"),
):
    _row("tekton.dev", _kinds, "v1 v1beta1", _STEPS, _pods, _TEKTON, takes=_NO_RESOURCES)
_row("tekton.dev", "StepAction", "v1beta1 v1alpha1",
     "tektoncd/pipeline v1.0 pkg/apis/pipeline/v1beta1/stepaction_types.go", "spec", ".", takes=_NO_RESOURCES,
     )  # fmt: skip
_row("upgrade.cattle.io", "Plan", "v1",
     "rancher/system-upgrade-controller v0.15 pkg/apis/upgrade.cattle.io/v1/types.go",
     "spec.upgrade spec.prepare", ".", takes=_NO_RESOURCES)  # fmt: skip
_row("apps.kruise.io", "SidecarSet", "v1alpha1 v1beta1",
     "openkruise/kruise v1.8 apis/apps/v1alpha1/sidecarset_types.go", "spec")  # fmt: skip
_row("sources.knative.dev", "ContainerSource", "v1", "knative/eventing v1.17 pkg/apis/sources/v1/container_types.go",
     "spec.template.spec")  # fmt: skip
_row("actions.summerwind.dev", "RunnerDeployment RunnerReplicaSet", "v1alpha1",
     "actions/actions-runner-controller v0.27 apis/actions.summerwind.net/v1alpha1/runner_types.go",
     "spec.template.spec", is_merged=True)  # fmt: skip

# Templates that come out as they are written, but for what the controller adds.
_row("kubeflow.org", "Notebook", "v1 v1beta1 v1alpha1",
     "kubeflow/kubeflow v1.10 components/notebook-controller/api/v1/notebook_types.go", "spec.template.spec",
     )  # fmt: skip
_row("agents.x-k8s.io", "Sandbox", "v1alpha1 v1beta1",
     "kubernetes-sigs/agent-sandbox v0.1 api/v1alpha1/sandbox_types.go", "spec.podTemplate.spec")  # fmt: skip
_row("extensions.agents.x-k8s.io", "SandboxTemplate", "v1alpha1",
     "kubernetes-sigs/agent-sandbox v0.1 extensions/api/v1alpha1/sandboxtemplate_types.go", "spec.podTemplate.spec",
     )  # fmt: skip
_row("agones.dev", "GameServer", "v1", "googleforgames/agones v1.48 pkg/apis/agones/v1/gameserver.go",
     "spec.template.spec")  # fmt: skip
_row("agones.dev", "Fleet GameServerSet", "v1", "googleforgames/agones v1.48 pkg/apis/agones/v1/fleet.go",
     "spec.template.spec.template.spec")  # fmt: skip
_row("machinelearning.seldon.io", "SeldonDeployment", "v1",
     "SeldonIO/seldon-core v1.18 operator/apis/machinelearning.seldon.io/v1/seldondeployment_types.go",
     "spec.predictors.*.componentSpecs.*.spec")  # fmt: skip
_row("apps.kruise.io", "BroadcastJob", "v1alpha1 v1beta1",
     "openkruise/kruise v1.8 apis/apps/v1alpha1/broadcastjob_types.go", "spec.template.spec")  # fmt: skip
_row("trainer.kubeflow.org", "TrainingRuntime ClusterTrainingRuntime", "v1alpha1",
     "kubeflow/trainer v2.0 pkg/apis/trainer/v1alpha1/trainingruntime_types.go",
     "spec.template.spec.replicatedJobs.*.template.spec.template.spec")  # fmt: skip
_row("actions.summerwind.dev", "RunnerSet", "v1alpha1",
     "actions/actions-runner-controller v0.27 apis/actions.summerwind.net/v1alpha1/runnerset_types.go",
     "spec.template.spec")  # fmt: skip

# Templates that an operator lays over its own.
_merged("pkg.crossplane.io", "DeploymentRuntimeConfig", "v1beta1",
        "crossplane v1.20 apis/pkg/v1beta1/deployment_runtime_config_types.go",
        "spec.deploymentTemplate.spec.template.spec")  # fmt: skip
_merged("toolhive.stacklok.dev", "MCPServer MCPRemoteProxy VirtualMCPServer", "v1alpha1 v1beta1",
        "stacklok/toolhive v0.3 cmd/thv-operator/api/v1alpha1/mcpserver_types.go", "spec.podTemplateSpec.spec",
        )  # fmt: skip
_merged("grafana.integreatly.org", "Grafana", "v1beta1",
        "grafana/grafana-operator v5.18 api/v1beta1/grafana_types.go, typeoverrides.go",
        "spec.deployment.spec.template.spec")  # fmt: skip
_ENVOY = "spec.provider.kubernetes.envoyDeployment spec.provider.kubernetes.envoyDaemonSet"
_merged("gateway.envoyproxy.io", "EnvoyProxy", "v1alpha1", "envoyproxy/gateway v1.3 api/v1alpha1/shared_types.go",
        _ENVOY, "initContainers.* container")  # fmt: skip
_ECK = "elastic/cloud-on-k8s v2.16 pkg/apis"
_merged("elasticsearch.k8s.elastic.co", "Elasticsearch", "v1", f"{_ECK}/elasticsearch/v1/elasticsearch_types.go",
        "spec.nodeSets.*.podTemplate.spec")  # fmt: skip
for _group, _kind in (
    ("kibana", "Kibana"), ("apm", "ApmServer"), ("enterprisesearch", "EnterpriseSearch"), ("logstash", "Logstash"),
    ("maps", "ElasticMapsServer"),
):  # fmt: skip
    _merged(f"{_group}.k8s.elastic.co", _kind, "v1 v1alpha1", f"{_ECK}/{_group}", "spec.podTemplate.spec")
for _group, _kind in (("beat", "Beat"), ("agent", "Agent")):
    _merged(f"{_group}.k8s.elastic.co", _kind, "v1beta1 v1alpha1", f"{_ECK}/{_group}",
            "spec.deployment.podTemplate.spec spec.daemonSet.podTemplate.spec spec.statefulSet.podTemplate.spec",
            )  # fmt: skip
_merged("rabbitmq.com", "RabbitmqCluster", "v1beta1",
        "rabbitmq/cluster-operator v2.12 api/v1beta1/rabbitmqcluster_types.go",
        "spec.override.statefulSet.spec.template.spec")  # fmt: skip
_merged("flink.apache.org", "FlinkDeployment FlinkSessionJob", "v1beta1",
        "apache/flink-kubernetes-operator 1.11 helm/flink-kubernetes-operator/crds",
        "spec.podTemplate.spec spec.jobManager.podTemplate.spec spec.taskManager.podTemplate.spec")  # fmt: skip
_SPARK = "kubeflow/spark-operator v2.1 api/v1beta2/sparkapplication_types.go"
_merged("sparkoperator.k8s.io", "SparkApplication", "v1beta2", _SPARK, "spec.driver spec.executor",
        ". initContainers.* sidecars.* template.spec.initContainers.* template.spec.containers.*")  # fmt: skip
_merged("sparkoperator.k8s.io", "ScheduledSparkApplication", "v1beta2", _SPARK,
        "spec.template.driver spec.template.executor",
        ". initContainers.* sidecars.* template.spec.initContainers.* template.spec.containers.*")  # fmt: skip
_merged("postgresql.cnpg.io", "Pooler", "v1", "cloudnative-pg v1.25 api/v1/pooler_types.go", "spec.template.spec")
_merged("cassandra.datastax.com", "CassandraDatacenter", "v1beta1",
        "k8ssandra/cass-operator v1.23 apis/cassandra/v1beta1/cassandradatacenter_types.go",
        "spec.podTemplateSpec.spec")  # fmt: skip
_merged("k8s.keycloak.org", "Keycloak", "v2alpha1",
        "keycloak-k8s-resources 26.1 kubernetes/keycloaks.k8s.keycloak.org-v1.yml", "spec.unsupported.podTemplate.spec",
        )  # fmt: skip
_merged("actions.github.com", "AutoscalingRunnerSet EphemeralRunnerSet EphemeralRunner", "v1alpha1",
        "actions/actions-runner-controller 0.10 apis/actions.github.com/v1alpha1/autoscalingrunnerset_types.go",
        "spec.template.spec spec.ephemeralRunnerSpec.spec spec.spec spec.listenerTemplate.spec")  # fmt: skip
_merged("clickhouse.altinity.com", "ClickHouseInstallation", "v1",
        "altinity/clickhouse-operator 0.24 pkg/apis/clickhouse.altinity.com/v1/types.go",
        "spec.templates.podTemplates.*.spec")  # fmt: skip
_merged("kafka.strimzi.io", "Kafka", "v1beta2 v1",
        "strimzi-kafka-operator 0.45 api/src/main/java/io/strimzi/api/kafka/model/common/template",
        "spec.kafka.template spec.zookeeper.template spec.entityOperator.template spec.cruiseControl.template"
        " spec.kafkaExporter.template", "*")  # fmt: skip
_merged("kafka.strimzi.io", "KafkaNodePool KafkaConnect KafkaBridge KafkaMirrorMaker2", "v1beta2 v1",
        "strimzi-kafka-operator 0.45 api/src/main/java/io/strimzi/api/kafka/model/common/template", "spec.template",
        "*")  # fmt: skip

# Fields of the pod beside those of the application.
_PROMETHEUS = "prometheus-operator v0.81 pkg/apis/monitoring/v1"
_merged("monitoring.coreos.com", "Prometheus PrometheusAgent Alertmanager ThanosRuler", "v1 v1alpha1",
        f"{_PROMETHEUS}/prometheus_types.go, alertmanager_types.go, thanos_types.go", "spec")  # fmt: skip
_VM = "VictoriaMetrics/operator v0.54 api/operator/v1beta1, api/operator/v1"
_merged("operator.victoriametrics.com",
        "VMSingle VMAgent VMAlert VMAlertmanager VMAuth VMAnomaly VLSingle VLogs VLAgent VTSingle", "v1beta1 v1", _VM,
        "spec", f". {_POD}")  # fmt: skip
for _kind, _names in (
    ("VMCluster", "vmselect vminsert vmstorage"), ("VLCluster", "vlselect vlinsert vlstorage"),
    ("VTCluster", "select insert storage"),
):  # fmt: skip
    _merged("operator.victoriametrics.com", _kind, "v1beta1 v1", _VM,
            " ".join(f"spec.{name}" for name in _names.split()), f". {_POD}")  # fmt: skip
_merged("opentelemetry.io", "OpenTelemetryCollector", "v1beta1 v1alpha1",
        "open-telemetry/opentelemetry-operator v0.119 apis/v1beta1/common.go", "spec",
        ". initContainers.* additionalContainers.*")  # fmt: skip
_merged("jaegertracing.io", "Jaeger", "v1", "jaegertracing/jaeger-operator v1.65 apis/v1/jaeger_types.go",
        "spec spec.allInOne spec.query spec.collector spec.ingester spec.agent", ".")  # fmt: skip
_MOVERS = " ".join(f"spec.{name}" for name in ("restic", "rclone", "rsync", "rsyncTLS", "syncthing"))
_merged("volsync.backube", "ReplicationSource ReplicationDestination", "v1alpha1",
        "backube/volsync v0.12 api/v1alpha1/common_types.go", _MOVERS, ".")  # fmt: skip
_merged("redis.redis.opstreelabs.in", "Redis RedisCluster RedisReplication RedisSentinel", "v1beta2 v1beta1",
        "OT-CONTAINER-KIT/redis-operator v0.19 api/common/v1beta2/common_types.go", "spec",
        ". initContainer sidecars.*")  # fmt: skip
_merged("minio.min.io", "Tenant", "v2", "minio/operator v7.0 pkg/apis/minio.min.io/v2/types.go",
        "spec spec.pools.*", f". {_POD} sideCars.containers.*")  # fmt: skip
_merged("postgresql.cnpg.io", "Cluster", "v1", "cloudnative-pg v1.25 api/v1/cluster_types.go", "spec", ".")

TEMPLATES: Mapping[Kind, OperatorTemplate] = _FOUND
"""By API group and kind."""

MERGED: frozenset[Kind] = frozenset(kind for kind, row in _FOUND.items() if row.is_merged)
"""Those that an operator lays over a pod of its own."""

TEMPLATE_KINDS: frozenset[str] = frozenset(kind for _, kind in _FOUND)
"""Kinds that may have a row; a quick test before ``operator_pods``, which also looks at the group."""

# Objects that stand within another one, and come out as they are, or with what is filled in.
_HELD: dict[Kind, tuple[Path, ...]] = {
    # openshift/api template/v1/types.go; its legacy group is the empty one
    ("template.openshift.io", "Template"): _paths(["objects.*"]),
    ("", "Template"): _paths(["objects.*"]),
    # crossplane-contrib/provider-kubernetes v0.17 apis/object/v1alpha2/types.go
    ("kubernetes.crossplane.io", "Object"): _paths(["spec.forProvider.manifest"]),
    ("kubernetes.m.crossplane.io", "Object"): _paths(["spec.forProvider.manifest"]),
    # crossplane v1.20 apis/apiextensions/v1/composition_types.go; function-patch-and-transform v0.8 input/v1beta1
    ("apiextensions.crossplane.io", "Composition"): _paths(
        [
            "spec.resources.*.base",
            "spec.resources.*.base.spec.forProvider.manifest",
            "spec.pipeline.*.input.resources.*.base",
            "spec.pipeline.*.input.resources.*.base.spec.forProvider.manifest",
        ]
    ),
    # controlplaneio-fluxcd/flux-operator v0.18 api/v1/resourceset_types.go
    ("fluxcd.controlplane.io", "ResourceSet"): _paths(["spec.resources.*"]),
    # kubernetes-sigs/kro v0.3 api/v1alpha1/resourcegraphdefinition_types.go
    ("kro.run", "ResourceGraphDefinition"): _paths(["spec.resources.*.template"]),
    # tektoncd/triggers v0.31 pkg/apis/triggers/v1beta1/trigger_template_types.go
    ("triggers.tekton.dev", "TriggerTemplate"): _paths(["spec.resourcetemplates.*"]),
    # argo-events v1.9 pkg/apis/events/v1alpha1/sensor_types.go
    ("argoproj.io", "Sensor"): _paths(
        ["spec.triggers.*.template.k8s.source.resource", "spec.triggers.*.template.argoWorkflow.source.resource"]
    ),
    # open-cluster-management-io/api v0.16 work/v1/types.go
    ("work.open-cluster-management.io", "ManifestWork"): _paths(["spec.workload.manifests.*"]),
    # project-codeflare/appwrapper v1.1 api/v1beta2/appwrapper_types.go
    ("workload.codeflare.dev", "AppWrapper"): _paths(["spec.components.*.template"]),
}
HOLDERS: frozenset[Kind] = frozenset(_HELD)
"""Objects that hold others, by API group and kind."""
HELD_KINDS: frozenset[str] = frozenset(kind for _, kind in _HELD)
"""Kinds of objects that hold others."""


def held_objects(kind: Kind, document: object) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The objects that stand within ``document`` of ``kind``, each with its place."""
    for pattern in _HELD.get(kind, ()):
        for path, found in expanded(document, pattern):
            if isinstance(found, dict) and isinstance(found.get("kind"), str) and found.get("apiVersion"):
                yield path, found


def operator_pods(kind: Kind, document: object) -> Iterator[tuple[Path, OperatorTemplate]]:
    """The places of pods in ``document`` of ``kind``, each with its row; those that hold a container alone."""
    row = _FOUND.get(kind)
    return places(document, row) if row is not None else iter(())


def places(document: object, row: OperatorTemplate) -> Iterator[tuple[Path, OperatorTemplate]]:
    """The same, where ``row`` is what is known of the kind."""
    for pattern in row.pods:
        for path, found in expanded(document, pattern):
            if isinstance(found, dict) and any(map(_is_container, _values(found, row))):
                yield path, row


def containers(pod: object, row: OperatorTemplate) -> Iterator[Path]:
    """The places of the containers in a pod of ``row``."""
    for pattern in row.containers:
        for path, found in expanded(pod, pattern):
            if _is_container(found):
                yield path


def _values(pod: object, row: OperatorTemplate) -> Iterator[object]:
    for pattern in row.containers:
        for _, found in expanded(pod, pattern):
            yield found


def _is_container(value: object) -> bool:
    return isinstance(value, dict) and ("image" in value or "securityContext" in value)
