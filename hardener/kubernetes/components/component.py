"""What a workload is, as far as its image and its names tell.

All tests are made on whole words (`pgvector` is not `vector`, `weaveworksdemos` is not `weave`) and on the last
component of an image's path where the organisation would mislead (`prometheus/node-exporter` is no Prometheus).
Source of what is administration: Kubescape's `sensitiveInterfaces`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from hardener.support.late_pattern import late_pattern

DATA_PORTS: frozenset[int] = frozenset({2379, 3306, 5432, 5672, 6379, 9042, 9092, 9200, 11211, 15672, 27017})
"""Default ports of etcd, MySQL, PostgreSQL, RabbitMQ (and its UI), Redis, Cassandra, Kafka, Elasticsearch, memcached,
MongoDB."""

STATIC_CONTROL_PLANE: frozenset[str] = frozenset(
    {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-vip"}
)
"""Image names that are part of the control plane when they run as a Pod of their own."""

ALSO_ELSEWHERE: frozenset[str] = frozenset({"etcd", "kube-vip"})
"""Those of them that anybody may run for a purpose of his own."""


def _phrases(*phrases: str) -> re.Pattern[str]:
    return late_pattern(f"-(?:{'|'.join(phrases)})(?=-)")


_INTERNAL = _phrases("internal", "intern", "private", "non-public", "headless", "cluster-local")
_MONITORING = _phrases(
    "alertmanager", "collectd", "fluent-bit", "fluentd", "graphite", "jaeger", "kube-state-metrics", "loki", "mimir",
    "nagios", "node-exporter", "opentelemetry-collector", "otel-collector", "promtail", "pushgateway", "statsd",
    "telegraf", "thanos", "victoria-metrics", "vmagent", "zabbix", "zipkin",
)  # fmt: skip


# Looked for in "-word-word-": the repository with every separator written as a dash.
_NODE_AGENT = _phrases(
    "calico", "cilium", "flannel", "weave", "kube-router", "aws-vpc-cni", "amazon-k8s-cni", "azure-npm", "multus",
    "kube-proxy", "csi-node-driver-registrar", "csi-driver(?=-$)", "ebs-csi", "efs-csi", "secrets-store",
    "node-exporter", "node-problem-detector", "fluent-bit", "fluentd", "filebeat", "promtail",
    "(?:grafana-)?alloy(?=-$)", "vector(?=-$)", "datadog(?:hq)?-agent(?=-$)", "falco", "tetragon", "tracee",
    "nvidia-k8s-device-plugin", "longhorn", "rook-ceph", "openebs", "metallb-speaker", "kured", "kubevirt",
    "sysdig-agent", "newrelic-infrastructure",
)  # fmt: skip
_INGRESS_OR_GATEWAY = _phrases(
    "ingress-nginx", "nginx-ingress", "nginx-gateway(?:-fabric)?", "ingress-controller", "kubernetes-ingress",
    "(?:[a-z0-9]+-)?ingressgateway", "istio-gateway", "haproxy-ingress", "caddy-ingress", "traefik", "contour",
    "projectcontour", "envoy-gateway", "envoyproxy-gateway(?:-dev)?", "kgateway", "gloo-(?:edge|gateway|envoy-wrapper)",
    "kong", "apisix", "ambassador", "emissary(?:-ingress)?", "tyk-gateway", "krakend", "metallb", "keepalived",
)  # fmt: skip
_EXTERNAL = _phrases("(?<!-non-)(?<!-not-)(?:external|public)", "ingress", "gateway", "edge", "lb", "load-?balancer")

_FRONT = _phrases("web", "www", "front", "frontend", "front-end", "ui", "storefront")

# What may stand behind the name of an administration interface without making it another thing.
_TAIL = late_pattern(
    r"-(?:server|service|svc|servicelb|ui|web|webui|frontend|console|dashboard|portal|app|deployment|statefulset|master"
    r"|main|controller|head|hub|api|http|https|external|internal|public|private|ingress|gateway|edge|lb|loadbalancer"
    r"|nodeport|np|k8s|cluster|standalone|operated|headless|prod|production|dev|development|staging|stage|test|qa|demo"
    r"|v?\d+)$"
)
_SENSITIVE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, late_pattern(f"-(?:{names})$"))
    for name, names in (
        ("kubernetes-dashboard", r"kubernetes-dashboard|kubernetesui-dashboard"),
        ("argo-server", r"argo-server|argo-workflows-server"),
        ("argocd-server", r"argocd-server"),
        ("jenkins", r"jenkins"),
        ("nifi", r"nifi"),
        ("kubeflow", r"kubeflow|centraldashboard"),
        ("weave-scope", r"weave-scope|weaveworks-scope"),
        ("prometheus", r"prometheus"),
        ("grafana", r"grafana(?:-oss|-enterprise)?"),
        ("kibana", r"kibana"),
        ("minio", r"minio"),
        ("mlflow", r"mlflow"),
        ("ray", r"(?<!-x-)ray|rayproject-ray(?:-ml)?|raycluster|rayservice|ray-dashboard"),
        ("jupyterhub", r"jupyterhub|jupyterhub-k8s"),
        ("ollama", r"ollama"),
        ("vllm", r"vllm|vllm-openai"),
        ("triton", r"triton|tritonserver|triton-inference"),
        # Not in that list, and of the same kind: whoever reaches it administers what is behind it.
        ("phpmyadmin", r"phpmyadmin"),
        ("pgadmin", r"pgadmin4?"),
        ("adminer", r"adminer"),
        ("mongo-express", r"mongo-express"),
        ("redis-commander", r"redis-commander"),
        ("redisinsight", r"redis-?insight"),
        ("kafka-ui", r"kafka-ui|kafdrop|akhq"),
        ("zeppelin", r"zeppelin"),
        ("jupyter", r"jupyter(?:-notebook|-?lab)?"),
        ("airflow", r"airflow-webserver"),
        ("portainer", r"portainer(?:-ce|-ee)?"),
        ("rancher", r"rancher"),
        ("headlamp", r"headlamp"),
        ("kiali", r"kiali"),
        ("hubble-ui", r"hubble-ui"),
        ("longhorn-ui", r"longhorn-(?:ui|frontend)"),
        ("traefik-dashboard", r"traefik-dashboard"),
        ("kong-admin", r"kong(?:-gateway)?-(?:admin|manager)"),
    )
)
_DATA_STORE = late_pattern(
    r"-(?:postgres|postgresql|pgsql|postgis|timescaledb|pgvector|spilo|mysql|mysqld|mariadb|percona|galera|mongo|mongod"
    r"|mongodb|redis|valkey|keydb|dragonflydb|memcached|memcache|kafka|redpanda|cassandra|scylla|scylladb|elasticsearch"
    r"|opensearch|etcd|zookeeper|rabbitmq|documentdb|cockroach|cockroachdb|couchdb|couchbase|clickhouse|influxdb|neo4j"
    r"|rethinkdb"
    r"|solr|arangodb|dgraph|aerospike|hazelcast|infinispan|ignite|tikv|tidb|yugabyte|yugabytedb|questdb|surrealdb|mssql"
    r"|qdrant|milvus|weaviate|minio)(?=-|$)"
)
# Behind the name of a program: another program that works for it or on it.
_HELPER = late_pattern(
    r"-(?:exporter|operator|backup|backups|restore|ui|gui|admin|client|cli|shell|express|commander|insight|migrate"
    r"|migration|migrations|migrator|init|job|proxy|pooler|bouncer|console|manager|curator|tools|connect|rest|bridge"
    r"|registry|test|tests|controller|sync|syncer|consumer|producer|adapter|agent|metrics|webhook|sidecar|reloader"
    r"|router|drainer|driver|defrag|mc|publisher|subscriber|sender|receiver|listener|loader|seeder|seed|importer|dumper"
    r"|dump|feeder|monitor|dashboard|stress|benchmark|bench|topics)(?=-|$)"
)
_DATA_STORE_PATHS = late_pattern(r"-mssql-server(?=-|$)|-oracle-database(?=-|$)")

_JVM_IMAGE = _phrases(
    "openjdk", "java", "java\\d+", "jdk", "jre", "temurin", "corretto", "amazoncorretto", "zulu", "semeru", "graalvm",
    "tomcat", "jetty", "wildfly", "jboss", "payara", "liberty", "keycloak", "elasticsearch", "opensearch", "logstash",
    "kafka", "zookeeper", "cassandra", "solr", "neo4j", "jenkins", "nifi", "flink", "spark", "hadoop", "hbase", "hive",
    "trino", "presto", "druid", "pulsar", "activemq", "artemis", "hazelcast", "infinispan", "ignite", "sonarqube",
    "nexus3", "kafdrop",
)  # fmt: skip
_JVM_WORD = late_pattern(
    r"(?:^|[\s;&|(])(?:/[^\s;&|(]*/)?java(?=\s|$)|(?<![\w-])-X(?:mx|ms|ss)\d|(?<![\w-])-XX:[+-]?\w|\.jar(?![\w.])"
)
# Programs that train models, serve them, or let people compute; how much memory one takes the model or its data decide.
_MACHINE_LEARNING = late_pattern(
    r"-(?:pytorch|torch|torchserve|tensorflow|tensorflow-serving|tf-serving|tfserving|jax|mxnet|deepspeed|xgboost"
    r"|lightgbm|cuda|rapids|rapidsai|nemo|nemo-microservices|huggingface|transformers|tritonserver|triton"
    r"|triton-inference|(?<!-x-)ray(?:-ml|-llm)?|vllm|ollama|sglang|llm|llama|llama\d+|llama-?cpp|localai"
    r"|text-(?:generation|embeddings)-inference|openvino|onnxruntime|mlserver|seldon-core-s2i|kfserving"
    r"|(?:sklearn|xgb|lgb|pmml|paddle|huggingface|custom-model)server|stable-diffusion|comfyui|whisper"
    r"|(?:base|minimal|scipy|datascience|r|julia|tensorflow|pytorch|pyspark|all-spark)-notebook"
    r"|jupyter-?(?:notebook|lab)|singleuser|zeppelin)(?=-|$)"
)
_MACHINE_LEARNING_PATHS = _phrases("nvcr-io-nim", "nvcr-io-nvidia-(?:pytorch|tensorflow|cuda|nemo|tritonserver)")
_MACHINE_LEARNING_WORD = late_pattern(
    r"(?:^|[\s;&|(])(?:/[^\s;&|(]*/)?(?:vllm|torchrun|deepspeed|tritonserver|tensorflow_model_server"
    r"|text-generation-launcher|llama-server|(?:ollama|ray)\s+(?:serve|start)|jupyter[\s-](?:lab|notebook|server))(?=\s|$)"
    r"|(?:^|\s)(?:vllm\.entrypoints|torch\.distributed|sglang\.launch_server)"
)
_LONGEST = 512  # names and repositories end at 255; what is longer is cut, so that no test takes long
_SEPARATORS = late_pattern(r"[^a-z0-9]+")


def _dashed(text: object) -> str:
    """`quay.io/calico/node` -> "-quay-io-calico-node-"."""
    return _words_of(text) if isinstance(text, str) else "-"


@lru_cache(maxsize=4096)  # several tests ask of one text, each of all texts of a tree in turn
def _words_of(text: str) -> str:
    return f"-{_SEPARATORS.sub('-', text[:_LONGEST].lower()).strip('-')}-"


@lru_cache(maxsize=4096)  # the pods of a tree run few images, and each asks
def is_node_agent_repository(repository: str | None) -> bool:
    """Whether an image repository (without tag) is that of an agent that belongs to the node."""
    return _NODE_AGENT.search(_dashed(repository)) is not None


def is_static_control_plane_name(name: str | None) -> bool:
    """Whether an image NAME (last component, `kube-apiserver`) is that of a static control-plane pod."""
    return name in STATIC_CONTROL_PLANE


def is_ingress_or_gateway(text: str | None) -> bool:
    """Whether an image repository or a workload's name is that of an ingress controller, gateway or address announcer.

    Plain proxies (`nginx`, `haproxy`, `envoy`) are not: most of them stand in front of one application.
    """
    return _INGRESS_OR_GATEWAY.search(_dashed(text)) is not None


def says_external(name: str | None) -> bool:
    """Whether a name says that it is meant for the outside: external, public, ingress, gateway, edge, lb as words."""
    return _EXTERNAL.search(_dashed(name)) is not None


def says_front(name: str | None) -> bool:
    """Whether a name is that of what people see: web, www, front, frontend, ui, storefront as words."""
    return _FRONT.search(_dashed(name)) is not None


def says_internal(name: str | None) -> bool:
    """Whether a name says that it is meant for the inside: internal, private, headless as words."""
    return _INTERNAL.search(_dashed(name)) is not None


def sensitive_component(names: Iterable[str | None]) -> str | None:
    """The administration interface that one of the names (image repository, workload, Service) is that of, or None.

    The name must end with the component's, but for words such as `server`, `ui`, `prod` or a number: `grafana` and
    `kube-prometheus-stack-prometheus` are, `grafana-dashboards-sync` and `prometheus-operator` are not.
    """
    for name in names:
        found = _sensitive(_dashed(name).rstrip("-"))
        if found is not None:
            return found
    return None


@lru_cache(maxsize=4096)  # every Service asks about every pod that it selects
def _sensitive(text: str) -> str | None:
    while True:
        for component, pattern in _SENSITIVE:
            if pattern.search(text):
                return component
        shorter = _TAIL.sub("", text)
        if shorter == text:
            return None
        text = shorter


# A project that names its images by the data store that they use: zabbix/zabbix-server-mysql. Of a workload, and of a
# repository of one's own, `wordpress-mysql` is the store itself.
_USES_STORE = re.compile(r"(?:^|/)(zabbix|kong|keycloak|nextcloud|gitea|matomo|airflow|temporalio|kestra)/\1-[^/]*$")


@lru_cache(maxsize=1024)  # as of agents of the node
def is_data_store(text: str | None) -> bool:
    """Whether an image repository or a name is that of a database, queue, cache or object store.

    Its helpers (`redis-exporter`, `postgres-operator`, `kafka-ui`) are not, nor is who uses one (`zabbix-web-mysql`).
    """
    if not isinstance(text, str) or _USES_STORE.search(text) is not None:
        return False
    return _is_program(_DATA_STORE, text) or _DATA_STORE_PATHS.search(_dashed(text)) is not None


def is_monitoring(text: str | None) -> bool:
    """Whether an image repository or a name is that of a program that collects metrics, logs or traces."""
    return isinstance(text, str) and _is_program(_MONITORING, text)


def is_jvm(words: Sequence[str], repository: str | None) -> bool:
    """Whether a container runs a Java virtual machine: by `java` or its flags in the command, or by its image."""
    if any([isinstance(word, str) and _JVM_WORD.search(word) for word in words]):
        return True
    return isinstance(repository, str) and _is_jvm_image(repository)


@lru_cache(maxsize=1024)
def _is_jvm_image(repository: str) -> bool:
    return _is_program(_JVM_IMAGE, repository)


def is_machine_learning(words: Sequence[str], repository: str | None) -> bool:
    """Whether a container trains or serves models, or is a notebook: by its command, or by its image.

    What only looks after such programs (`pytorch-operator`, `ray-dashboard-proxy`, `ollama-ui`) is none.
    """
    if words and _MACHINE_LEARNING_WORD.search(" ".join([word for word in words if isinstance(word, str)])):
        return True
    return isinstance(repository, str) and _is_image_of_learning(repository)


@lru_cache(maxsize=1024)
def _is_image_of_learning(repository: str) -> bool:
    return _is_program(_MACHINE_LEARNING, repository) or _MACHINE_LEARNING_PATHS.search(_dashed(repository)) is not None


def _is_program(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the last component of a path names a program of the pattern, and not a helper of it."""
    last = _dashed(text.rpartition("/")[2])
    match = pattern.search(last)
    return match is not None and _HELPER.search(last, match.end()) is None


_LOG_AGENT = late_pattern(
    r"\b(?:fluent-?bit|fluentd|vector|promtail|alloy|grafana-agent|opentelemetry-collector\S*|otel\S*|datadog\S*|filebeat"
    r"|elastic-agent|logstash|splunk\S*|newrelic-logging|logging-operator|rancher-logging|cloudwatch-agent|aws-for-fluent-bit"
    r"|ama-logs|sumologic\S*|vlagent|kube-logging)\b"
)


def is_log_agent(name: str) -> bool:
    """Whether an image, workload or chart of this name takes logs off a node."""
    return bool(_LOG_AGENT.search(name.lower()))


# Sources: the documentation of each project; that the others let everybody in by default is what Kubescape's control on
# exposed sensitive interfaces rests on.
OWN_SIGN_IN: frozenset[str] = frozenset(
    {"adminer", "airflow", "argocd-server", "grafana", "headlamp", "jenkins", "jupyter", "jupyterhub", "kiali", "minio",
     "pgadmin", "phpmyadmin", "portainer", "rancher"}
)  # fmt: skip
"""Names of ``sensitive_component`` whose programs ask who is there unless they are told not to."""

PROXIES = ("oauth", "kube-rbac-proxy", "pomerium", "authelia", "authentik", "gatekeeper", "louketo")
"""What images of proxies are called that ask who is there before they let anybody through."""

_OFF = ("--disable-auth", "--enable-skip-login", "--auth-mode=server")
_OFF_WHERE_TRUE = ("GF_AUTH_ANONYMOUS_ENABLED", "ARGOCD_SERVER_DISABLE_AUTH")


def switched_off(words: Iterable[str], env: Mapping[str, str]) -> str | None:
    """The word of a command or the variable that lets everybody in without a sign-in; None where there is none."""
    found = (word for word in words if word.removesuffix("=true") in _OFF)
    variables = (name for name in _OFF_WHERE_TRUE if env.get(name, "").strip().lower() == "true")
    return next(found, None) or next(variables, None)
