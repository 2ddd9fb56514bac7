"""What a workload is, by its names."""

import pytest

from hardener.kubernetes.components.component import (
    is_data_store,
    is_ingress_or_gateway,
    is_jvm,
    is_machine_learning,
    is_node_agent_repository,
    is_static_control_plane_name,
    says_external,
    sensitive_component,
)


@pytest.mark.parametrize(
    "repository",
    ["calico/node", "docker.io/calico/cni", "quay.io/cilium/cilium", "ghcr.io/flannel-io/flannel",
     "rancher/mirrored-calico-node", "weaveworks/weave-kube", "amazon/aws-ebs-csi-driver", "example.com/foo-csi-driver",
     "registry.k8s.io/sig-storage/csi-node-driver-registrar", "registry.k8s.io/csi-secrets-store/driver",
     "quay.io/prometheus/node-exporter", "fluent/fluent-bit", "amazon/aws-for-fluent-bit", "fluent/fluentd",
     "grafana/promtail", "grafana/alloy", "timberio/vector", "gcr.io/datadoghq/agent", "datadog/agent",
     "falcosecurity/falco", "quay.io/metallb/speaker", "nvcr.io/nvidia/k8s-device-plugin", "rook/ceph",
     "longhornio/longhorn-manager", "registry.k8s.io/kube-proxy"],
)  # fmt: skip
def test_node_agents(repository: str) -> None:
    assert is_node_agent_repository(repository)


@pytest.mark.parametrize(
    "repository",
    ["nginx", "pgvector/pgvector", "acme/vector-search", "weaveworksdemos/cart", "falcosecurity/falcosidekick",
     "acme/csi-driver-docs", "grafana/grafana", "quay.io/metallb/controller", "acme/alloy-wheels", "", None],
)  # fmt: skip
def test_no_node_agents(repository: str | None) -> None:
    assert not is_node_agent_repository(repository)


def test_static_control_plane() -> None:
    assert is_static_control_plane_name("kube-apiserver")
    assert is_static_control_plane_name("etcd")
    assert not is_static_control_plane_name("etcd-operator")
    assert not is_static_control_plane_name(None)


@pytest.mark.parametrize(
    "text",
    ["registry.k8s.io/ingress-nginx/controller", "ingress-nginx-controller", "nginx/nginx-ingress", "traefik",
     "traefik:v3", "haproxytech/kubernetes-ingress", "haproxy-ingress", "projectcontour/contour", "envoyproxy/gateway",
     "envoy-gateway", "istio-ingressgateway", "kong/kong-gateway", "kong", "quay.io/metallb/controller",
     "osixia/keepalived", "ghcr.io/emissary-ingress/emissary", "apache/apisix"],
)  # fmt: skip
def test_ingress_and_gateways(text: str) -> None:
    assert is_ingress_or_gateway(text)


@pytest.mark.parametrize(
    "text", ["nginx", "haproxy", "envoyproxy/envoy", "payment-gateway", "hongkong", "frontend", "", None]
)
def test_no_ingress(text: str | None) -> None:
    assert not is_ingress_or_gateway(text)


@pytest.mark.parametrize(
    "name",
    [
        "frontend-external",
        "public-api",
        "api_gateway",
        "edge",
        "web-lb",
        "lb.web",
        "ingress",
        "Public",
        "web-loadbalancer",
        "web-load-balancer",
    ],
)
def test_names_that_say_external(name: str) -> None:
    assert says_external(name)


@pytest.mark.parametrize(
    "name",
    [
        "frontend",
        "publication",
        "ledger",
        "album",
        "knowledge",
        "internal",
        "club",
        "non-public-frontend",
        "not-external",
        "",
        None,
    ],
)
def test_names_that_do_not(name: str | None) -> None:
    assert not says_external(name)


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("grafana", "grafana"),
        ("grafana/grafana", "grafana"),
        ("grafana/grafana-oss", "grafana"),
        ("kube-prometheus-stack-grafana", "grafana"),
        ("grafana-lb", "grafana"),
        ("prometheus-k8s", "prometheus"),
        ("prom/prometheus", "prometheus"),
        ("prometheus-server", "prometheus"),
        ("kubernetes-dashboard", "kubernetes-dashboard"),
        ("kubernetesui/dashboard", "kubernetes-dashboard"),
        ("kubernetes-dashboard-web", "kubernetes-dashboard"),
        ("argo-server", "argo-server"),
        ("quay.io/argoproj/argocli", None),
        ("argocd-server", "argocd-server"),
        ("jenkins/jenkins", "jenkins"),
        ("jenkins-controller-0", "jenkins"),
        ("apache/nifi", "nifi"),
        ("weave-scope-app", "weave-scope"),
        ("kibana-prod", "kibana"),
        ("minio-console", "minio"),
        ("minio/minio", "minio"),
        ("mlflow-ui", "mlflow"),
        ("rayproject/ray", "ray"),
        ("ray-head-svc", "ray"),
        ("jupyterhub/k8s-hub", "jupyterhub"),
        ("ollama-v2", "ollama"),
        ("vllm/vllm-openai", "vllm"),
        ("nvcr.io/nvidia/tritonserver", "triton"),
        ("triton-inference-server", "triton"),
        ("dpage/pgadmin4", "pgadmin"),
        ("phpmyadmin/phpmyadmin", "phpmyadmin"),
        ("my-adminer-service", "adminer"),
        ("provectuslabs/kafka-ui", "kafka-ui"),
        ("quay.io/cilium/hubble-ui", "hubble-ui"),
        ("longhornio/longhorn-ui", "longhorn-ui"),
        ("longhorn-frontend", "longhorn-ui"),
        ("portainer/portainer-ce", "portainer"),
        ("rancher/rancher", "rancher"),
        ("apache/zeppelin", "zeppelin"),
        ("jupyter-notebook", "jupyter"),
        ("kong-gateway-admin", "kong-admin"),
        # False friends.
        ("my-grafana-dashboards-sync", None),
        ("grafana/loki", None),
        ("grafana-agent", None),
        ("grafana.example.com/shop", None),
        ("prometheus-operator", None),
        ("prometheus-adapter", None),
        ("quay.io/prometheus/node-exporter", None),
        ("quay.io/prometheus/alertmanager", None),
        ("jenkins/inbound-agent", None),
        ("kubernetes", None),
        ("dashboard", None),
        ("kubernetes-dashboard-metrics-scraper", None),
        ("argo", None),
        ("argocd-repo-server", None),
        ("minio/mc", None),
        ("x-ray", None),
        ("aws-xray-daemon", None),
        ("array", None),
        ("rancher/klipper-lb", None),
        ("rancher-webhook", None),
        ("quay.io/cilium/hubble-relay", None),
        ("longhorn-backend", None),
        ("traefik", None),
        ("", None),
    ],
)
def test_sensitive_component(name: str, component: str | None) -> None:
    assert sensitive_component([name]) == component


def test_any_name_will_do() -> None:
    assert sensitive_component(["metrics", None, "docker.io/grafana/grafana"]) == "grafana"
    assert sensitive_component([]) is None


@pytest.mark.parametrize(
    "text",
    ["postgres", "bitnami/postgresql", "postgres-primary", "mysql", "mariadb", "percona/percona-xtradb-cluster",
     "mongo", "redis-cart", "registry.k8s.io/redis-slave", "valkey/valkey", "apache/kafka", "confluentinc/cp-kafka",
     "cassandra",
     "docker.elastic.co/elasticsearch/elasticsearch", "quay.io/coreos/etcd", "pgvector/pgvector", "rabbitmq",
     "mcr.microsoft.com/mssql/server", "wordpress-mysql", "acme/zabbix-mysql", "memcached",
     "minio/minio", "cockroachdb/cockroach"],
)  # fmt: skip
def test_data_stores(text: str) -> None:
    assert is_data_store(text)


@pytest.mark.parametrize(
    "text",
    ["oliver006/redis_exporter", "redis/redisinsight", "postgres-operator", "kafka-ui", "mongo-express", "etcd-backup",
     "cp-kafka-connect", "cp-schema-registry", "elasticsearch-curator", "weaveworksdemos/catalogue-db",
     "mongodb-consumer", "rabbitmq-publisher", "mysql-seed", "mongodb-loader", "kafka-topics", "cassandra-stress",
     "mysql-rest", "prometheus-mysqld-exporter", "zabbix/zabbix-server-mysql", "minio/mc", "predis", "nginx", "", None],
)  # fmt: skip
def test_no_data_stores(text: str | None) -> None:
    assert not is_data_store(text)


@pytest.mark.parametrize(
    ("words", "repository"),
    [
        (["java", "-jar", "app.jar"], "acme/app"),
        (["/usr/bin/java"], None),
        (["sh", "-c", "exec java $JAVA_OPTS -cp /app Main"], "acme/app"),
        (["-Xmx512m"], None),
        (["-XX:+UseG1GC"], None),
        ([], "eclipse-temurin:21"),
        ([], "gcr.io/distroless/java21-debian12"),
        ([], "tomcat"),
        ([], "docker.elastic.co/elasticsearch/elasticsearch"),
    ],
)
def test_jvm(words: list[str], repository: str | None) -> None:
    assert is_jvm(words, repository)


@pytest.mark.parametrize(
    ("words", "repository"),
    [
        ([], None),
        (["javascript", "-Xm"], "node"),
        (["node", "--java-home=/x"], "acme/javascript"),
        ([], "danielqsj/kafka-exporter"),
        (["spark-master:8080"], "elsonrodriguez/spark-ui-proxy"),
    ],
)
def test_no_jvm(words: list[str], repository: str | None) -> None:
    assert not is_jvm(words, repository)


@pytest.mark.parametrize(
    ("words", "repository"),
    [
        ([], "pytorch/pytorch"),
        ([], "tensorflow/tensorflow"),
        ([], "nvidia/cuda"),
        ([], "nvcr.io/nvidia/tritonserver"),
        ([], "nvcr.io/nim/meta/any-model"),
        ([], "rayproject/ray-ml"),
        ([], "vllm/vllm-openai"),
        ([], "docker.io/ollama/ollama"),
        ([], "ghcr.io/huggingface/text-generation-inference"),
        ([], "quay.io/jupyter/scipy-notebook"),
        ([], "registry.example.com/team/llm-server"),
        (["vllm", "serve", "some/model"], "acme/app"),
        (["python3", "-m", "vllm.entrypoints.openai.api_server"], None),
        (["sh", "-c", "exec /opt/bin/torchrun train.py"], "acme/app"),
        (["ray", "start", "--head"], "acme/app"),
    ],
)
def test_machine_learning(words: list[str], repository: str | None) -> None:
    assert is_machine_learning(words, repository)


@pytest.mark.parametrize(
    ("words", "repository"),
    [
        ([], None),
        ([], "amazon/aws-xray-daemon"),
        ([], "example.com/x-ray"),
        ([], "kubeflow/pytorch-operator"),
        ([], "quay.io/kuberay/operator"),
        ([], "kubeflownotebookswg/notebook-controller"),
        ([], "kubeflownotebookswg/jupyter-web-app"),
        ([], "example.com/ollama-ui"),
        ([], "example.com/array"),
        (["serve", "--backend=http://ollama:11434"], "acme/app"),
        (["--model-server", "http://vllm"], "acme/app"),
    ],
)
def test_no_machine_learning(words: list[str], repository: str | None) -> None:
    assert not is_machine_learning(words, repository)


@pytest.mark.parametrize("name", ["redis-" * 50_000, "-grafana-server" * 50_000, "a" * 500_000, "\n" * 100_000])
def test_long_names_take_no_time(name: str) -> None:
    is_data_store(name)
    is_machine_learning([name], name)
    sensitive_component([name])
    is_node_agent_repository(name)
