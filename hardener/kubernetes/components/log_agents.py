"""Programs that take logs off a node, by the names of their images, workloads and charts."""

import re

_AGENT = re.compile(
    r"\b(?:fluent-?bit|fluentd|vector|promtail|alloy|grafana-agent|opentelemetry-collector\S*|otel\S*|datadog\S*|filebeat"
    r"|elastic-agent|logstash|splunk\S*|newrelic-logging|logging-operator|rancher-logging|cloudwatch-agent|aws-for-fluent-bit"
    r"|ama-logs|sumologic\S*|vlagent|kube-logging)\b"
)


def is_log_agent(name: str) -> bool:
    """Whether an image, workload or chart of this name is one."""
    return bool(_AGENT.search(name.lower()))
