"""Custom resources that hold a pod, or containers, of which their operator makes the pods: one row for each group.

A row says where the pod stands, where its containers stand in it, and which fields of a container the operator takes.
Each names the file of the API types that says so, with the commit that was read. Objects within an object, such as
those of a template of OpenShift, have rows of their own. A row without places
is of a kind that names no container: what loosens its pods is a finding wherever it stands.
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
    - ``source``: the file that says so, as ``owner/repository@commit path``.
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
_WORKFLOWS = "argoproj/argo-workflows@00068233afff pkg/apis/workflow/v1alpha1/workflow_types.go"
_row("argoproj.io", "Workflow WorkflowTemplate ClusterWorkflowTemplate", "v1alpha1", _WORKFLOWS,
     "spec.templates.* spec.templateDefaults", _ARGO)  # fmt: skip
_row("argoproj.io", "CronWorkflow", "v1alpha1", _WORKFLOWS,
     "spec.workflowSpec.templates.* spec.workflowSpec.templateDefaults", _ARGO)  # fmt: skip
_row("argoproj.io", "Sensor EventSource", "v1alpha1",
     "argoproj/argo-events@061b40301199 pkg/apis/events/v1alpha1/template.go", "spec.template", "container",
     is_merged=True)  # fmt: skip
_STEPS = "tektoncd/pipeline@1027f728dd31 pkg/apis/pipeline/v1/task_types.go, pipeline_types.go"
for _kinds, _pods in (
    ("Task ClusterTask", "spec"),
    ("TaskRun", "spec.taskSpec"),
    ("Pipeline", "spec.tasks.*.taskSpec spec.finally.*.taskSpec"),
    ("PipelineRun", "spec.pipelineSpec.tasks.*.taskSpec spec.pipelineSpec.finally.*.taskSpec"),
):
    _row("tekton.dev", _kinds, "v1 v1beta1", _STEPS, _pods, _TEKTON, takes=_NO_RESOURCES)
_row("tekton.dev", "StepAction", "v1beta1 v1alpha1",
     "tektoncd/pipeline@1edbbdba4730 pkg/apis/pipeline/v1beta1/stepaction_types.go", "spec", ".", takes=_NO_RESOURCES,
     )  # fmt: skip
_row("upgrade.cattle.io", "Plan", "v1",
     "rancher/system-upgrade-controller@0cf6d2fb3d37 pkg/apis/upgrade.cattle.io/v1/types.go",
     "spec.upgrade spec.prepare", ".", takes=_NO_RESOURCES)  # fmt: skip
_row("apps.kruise.io", "SidecarSet", "v1alpha1 v1beta1",
     "openkruise/kruise@0ddcf2757b92 apis/apps/v1alpha1/sidecarset_types.go", "spec")  # fmt: skip
_row("sources.knative.dev", "ContainerSource", "v1",
     "knative/eventing@f12b521c02cd pkg/apis/sources/v1/container_types.go", "spec.template.spec")  # fmt: skip
_RUNNERS = "actions/actions-runner-controller@012180210371 apis/actions.summerwind.net/v1alpha1/runner_types.go"
_merged("actions.summerwind.dev", "Runner", "v1alpha1", _RUNNERS, "spec", f"{_POD} sidecarContainers.*")
_merged("actions.summerwind.dev", "RunnerDeployment RunnerReplicaSet", "v1alpha1", _RUNNERS, "spec.template.spec",
        f"{_POD} sidecarContainers.*")  # fmt: skip

# Templates that come out as they are written, but for what the controller adds.
_row("kubeflow.org", "Notebook", "v1 v1beta1 v1alpha1",
     "kubeflow/kubeflow@0708d13821a2 components/notebook-controller/api/v1/notebook_types.go", "spec.template.spec",
     )  # fmt: skip
_row("agents.x-k8s.io", "Sandbox", "v1alpha1 v1beta1",
     "kubernetes-sigs/agent-sandbox@0282213a1143 api/v1alpha1/sandbox_types.go", "spec.podTemplate.spec")  # fmt: skip
_row("extensions.agents.x-k8s.io", "SandboxTemplate", "v1alpha1",
     "kubernetes-sigs/agent-sandbox@10e1f2874831 extensions/api/v1alpha1/sandboxtemplate_types.go",
     "spec.podTemplate.spec")  # fmt: skip
_row("agones.dev", "GameServer", "v1", "googleforgames/agones@01dc444efe62 pkg/apis/agones/v1/gameserver.go",
     "spec.template.spec")  # fmt: skip
_row("agones.dev", "Fleet GameServerSet", "v1", "googleforgames/agones@05738e6811fd pkg/apis/agones/v1/fleet.go",
     "spec.template.spec.template.spec")  # fmt: skip
_row("machinelearning.seldon.io", "SeldonDeployment", "v1",
     "SeldonIO/seldon-core@00908a96d88c operator/apis/machinelearning.seldon.io/v1/seldondeployment_types.go",
     "spec.predictors.*.componentSpecs.*.spec")  # fmt: skip
_row("apps.kruise.io", "BroadcastJob", "v1alpha1 v1beta1",
     "openkruise/kruise@4097aa50600e apis/apps/v1beta1/broadcastjob_types.go", "spec.template.spec")  # fmt: skip
_row("trainer.kubeflow.org", "TrainingRuntime ClusterTrainingRuntime", "v1alpha1",
     "kubeflow/trainer@022656ac197e pkg/apis/trainer/v1alpha1/trainingruntime_types.go",
     "spec.template.spec.replicatedJobs.*.template.spec.template.spec")  # fmt: skip
_row("actions.summerwind.dev", "RunnerSet", "v1alpha1",
     "actions/actions-runner-controller@61fa46197ead apis/actions.summerwind.net/v1alpha1/runnerset_types.go",
     "spec.template.spec")  # fmt: skip

# Templates that an operator lays over its own.
_merged("pkg.crossplane.io", "DeploymentRuntimeConfig", "v1beta1",
        "crossplane/crossplane@1a3b82759889 apis/pkg/v1beta1/deployment_runtime_config_types.go",
        "spec.deploymentTemplate.spec.template.spec")  # fmt: skip
_merged("toolhive.stacklok.dev", "MCPServer MCPRemoteProxy VirtualMCPServer EmbeddingServer MCPRegistry",
        "v1alpha1 v1beta1",
        "stacklok/toolhive@0166a54e0d65 cmd/thv-operator/api/v1beta1/mcpserver_types.go, embeddingserver_types.go",
        "spec.podTemplateSpec.spec")  # fmt: skip
_merged("grafana.integreatly.org", "Grafana", "v1beta1",
        "grafana/grafana-operator@00d6e4765152 api/v1beta1/typeoverrides.go",
        "spec.deployment.spec.template.spec")  # fmt: skip
_ENVOY = "spec.provider.kubernetes.envoyDeployment spec.provider.kubernetes.envoyDaemonSet"
_merged("gateway.envoyproxy.io", "EnvoyProxy", "v1alpha1",
        "envoyproxy/gateway@006c6ae6efe6 api/v1alpha1/shared_types.go", _ENVOY, "initContainers.* container",
        )  # fmt: skip
_ECK = "elastic/cloud-on-k8s@0449f62a751e pkg/apis"
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
        "rabbitmq/cluster-operator@039848e02910 api/v1beta1/rabbitmqcluster_types.go",
        "spec.override.statefulSet.spec.template.spec")  # fmt: skip
_merged("flink.apache.org", "FlinkDeployment", "v1beta1",
        "apache/flink-kubernetes-operator@24643c8c6d9d flink-kubernetes-operator-api/src/main/java/org/apache/flink/"
        "kubernetes/operator/api/spec/FlinkDeploymentSpec.java",
        "spec.podTemplate.spec spec.jobManager.podTemplate.spec spec.taskManager.podTemplate.spec")  # fmt: skip
_SPARK = "kubeflow/spark-operator@07f3cecdbf9a api/v1beta2/sparkapplication_types.go"
_merged("sparkoperator.k8s.io", "SparkApplication", "v1beta2", _SPARK, "spec.driver spec.executor",
        ". initContainers.* sidecars.* template.spec.initContainers.* template.spec.containers.*")  # fmt: skip
_merged("sparkoperator.k8s.io", "ScheduledSparkApplication", "v1beta2", _SPARK,
        "spec.template.driver spec.template.executor",
        ". initContainers.* sidecars.* template.spec.initContainers.* template.spec.containers.*")  # fmt: skip
_merged(
    "postgresql.cnpg.io",
    "Pooler",
    "v1",
    "cloudnative-pg/cloudnative-pg@04a1fc57d3d4 api/v1/pooler_types.go",
    "spec.template.spec",
)
_merged("cassandra.datastax.com", "CassandraDatacenter", "v1beta1",
        "k8ssandra/cass-operator@003c09fe7e94 apis/cassandra/v1beta1/cassandradatacenter_types.go",
        "spec.podTemplateSpec.spec")  # fmt: skip
_merged("k8s.keycloak.org", "Keycloak", "v2alpha1",
        "keycloak/keycloak@037b1743a38a operator/src/main/java/org/keycloak/operator/crds/v2alpha1/deployment/spec/"
        "UnsupportedSpec.java", "spec.unsupported.podTemplate.spec",
        )  # fmt: skip
_merged("actions.github.com", "AutoscalingRunnerSet EphemeralRunnerSet EphemeralRunner", "v1alpha1",
        "actions/actions-runner-controller@03c274d103c7 apis/actions.github.com/v1alpha1/autoscalingrunnerset_types.go",
        "spec.template.spec spec.ephemeralRunnerSpec.spec spec.spec spec.listenerTemplate.spec")  # fmt: skip
_merged("clickhouse.altinity.com", "ClickHouseInstallation", "v1",
        "Altinity/clickhouse-operator@01c1aef94681 pkg/apis/clickhouse.altinity.com/v1/types.go",
        "spec.templates.podTemplates.*.spec")  # fmt: skip
_STRIMZI = (
    "strimzi/strimzi-kafka-operator@19845c186cba api/src/main/java/io/strimzi/api/kafka/model/common/template/"
    "ContainerTemplate.java"
)
_merged("kafka.strimzi.io", "Kafka", "v1beta2 v1", _STRIMZI,
        "spec.kafka.template spec.zookeeper.template spec.entityOperator.template spec.cruiseControl.template"
        " spec.kafkaExporter.template", "*")  # fmt: skip
_merged("kafka.strimzi.io", "KafkaNodePool KafkaConnect KafkaBridge KafkaMirrorMaker2", "v1beta2 v1", _STRIMZI,
        "spec.template", "*")  # fmt: skip

# Fields of the pod beside those of the application.
_PROMETHEUS = "prometheus-operator/prometheus-operator@005ec27b9f76 pkg/apis/monitoring/v1"
_merged("monitoring.coreos.com", "Prometheus PrometheusAgent Alertmanager ThanosRuler", "v1 v1alpha1",
        f"{_PROMETHEUS}/prometheus_types.go, alertmanager_types.go, thanos_types.go", "spec")  # fmt: skip
_VM = "VictoriaMetrics/operator@00215655f289 api/operator/v1beta1/vmextra_types.go"
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
        "open-telemetry/opentelemetry-operator@01416c28a436 apis/v1beta1/common.go", "spec",
        ". initContainers.* additionalContainers.*")  # fmt: skip
_REDIS = "OT-CONTAINER-KIT/redis-operator@0033bbf4750b api/common/v1beta2/common_types.go"
_merged("redis.redis.opstreelabs.in", "Redis RedisReplication RedisSentinel", "v1beta2 v1beta1", _REDIS, "spec",
        ". redisExporter initContainer sidecars.*")  # fmt: skip
_merged("redis.redis.opstreelabs.in", "RedisCluster", "v1beta2 v1beta1", _REDIS, "spec",
        "redisLeader redisFollower redisExporter initContainer sidecars.*")  # fmt: skip
_merged("minio.min.io", "Tenant", "v2", "minio/operator@0023f6a22c96 pkg/apis/minio.min.io/v2/types.go", "spec",
        "initContainers.* sideCars.containers.*")  # fmt: skip
# Its securityContext, for every container, came later than the commit that was read for the rest.
_merged("postgresql.cnpg.io", "Cluster", "v1", "cloudnative-pg/cloudnative-pg@000280e2dbd3 api/v1/cluster_types.go",
        "spec", ".")  # fmt: skip

# Images, requests and a security context of the pod, and no container: the operator makes it.
_merged("jaegertracing.io", "Jaeger", "v1", "jaegertracing/jaeger-operator@031f4d666fd9 apis/v1/jaeger_types.go", "")
_merged("volsync.backube", "ReplicationSource ReplicationDestination", "v1alpha1",
        "backube/volsync@07f0a834ca42 api/v1alpha1/common_types.go", "")  # fmt: skip

TEMPLATES: Mapping[Kind, OperatorTemplate] = _FOUND
"""By API group and kind."""

MERGED: frozenset[Kind] = frozenset(kind for kind, row in _FOUND.items() if row.is_merged)
"""Those that an operator lays over a pod of its own."""

TEMPLATE_KINDS: frozenset[str] = frozenset(kind for _, kind in _FOUND)
"""Kinds that may have a row; a quick test before ``operator_pods``, which also looks at the group."""

# Objects that stand within another one, and come out as they are, or with what is filled in.
_HELD: dict[Kind, tuple[Path, ...]] = {
    # openshift/api@344baf8ca264 template/v1/types.go; its legacy group is the empty one
    ("template.openshift.io", "Template"): _paths(["objects.*"]),
    ("", "Template"): _paths(["objects.*"]),
    # crossplane-contrib/provider-kubernetes@1630dc81b17c apis/object/v1alpha2/types.go
    ("kubernetes.crossplane.io", "Object"): _paths(["spec.forProvider.manifest"]),
    ("kubernetes.m.crossplane.io", "Object"): _paths(["spec.forProvider.manifest"]),
    # crossplane/crossplane@06f0fb8e6c44 apis/apiextensions/v1/composition_types.go, and the input of
    # function-patch-and-transform
    ("apiextensions.crossplane.io", "Composition"): _paths(
        [
            "spec.resources.*.base",
            "spec.resources.*.base.spec.forProvider.manifest",
            "spec.pipeline.*.input.resources.*.base",
            "spec.pipeline.*.input.resources.*.base.spec.forProvider.manifest",
        ]
    ),
    # controlplaneio-fluxcd/flux-operator@003c4f1c1113 api/v1/resourceset_types.go
    ("fluxcd.controlplane.io", "ResourceSet"): _paths(["spec.resources.*"]),
    # kubernetes-sigs/kro@012a3ac9bae1 api/v1alpha1/resourcegraphdefinition_types.go
    ("kro.run", "ResourceGraphDefinition"): _paths(["spec.resources.*.template"]),
    # tektoncd/triggers@12c3f5fc8cf2 pkg/apis/triggers/v1beta1/trigger_template_types.go
    ("triggers.tekton.dev", "TriggerTemplate"): _paths(["spec.resourcetemplates.*"]),
    # argoproj/argo-events@0d6291964dbb pkg/apis/events/v1alpha1/sensor_types.go
    ("argoproj.io", "Sensor"): _paths(
        ["spec.triggers.*.template.k8s.source.resource", "spec.triggers.*.template.argoWorkflow.source.resource"]
    ),
    # open-cluster-management-io/api@0034e20ccfe3 work/v1/types.go
    ("work.open-cluster-management.io", "ManifestWork"): _paths(["spec.workload.manifests.*"]),
    # project-codeflare/appwrapper@019a3d393115 api/v1beta2/appwrapper_types.go
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
