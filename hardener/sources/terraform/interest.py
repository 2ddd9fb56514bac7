"""Which files in HCL are read: a search of the text tells, without parsing."""

import re

from hardener.support.late_pattern import late_pattern

NAMESPACE = late_pattern(r'\bnamespace"?[ \t]*=[ \t]*"([a-z0-9][a-z0-9-]*)"')

_WORDS = (
    "aws_iam_", "aws_eks_", "aws_launch_template", "aws_launch_configuration", "aws_instance", "aws_autoscaling_group",
    "terraform-aws-modules/eks", "terraform-aws-modules/terraform-aws-eks", "google_container_",
    "azurerm_kubernetes_cluster", "azurerm_monitor_diagnostic_setting", "helm_release", '"kubernetes_',
    '"kubectl_manifest"',
)  # fmt: skip
# Modules of a registry for the providers that make pods: "acme/redis/kubernetes".
_MODULE = late_pattern(r"""\bsource\s*=\s*"(?:[\w.-]+/){2,3}(?:kubernetes|helm)(?://[^"]*)?\"""")
# The blocks and the attribute of which a configuration of Terragrunt has at least one (docs.terragrunt.com, "HCL").
_TERRAGRUNT = late_pattern(
    r"^(?:inputs[ \t]*=|(?:terraform|include|dependency|remote_state|generate)\b[^=\n]*\{)", re.M
)


def is_interesting(text: str) -> bool:
    """Whether a file can hold a resource of a cluster, its nodes or their rights."""
    return any(word in text for word in _WORDS) or bool(_MODULE.search(text))


def is_terragrunt(text: str) -> bool:
    """Whether a file in HCL is a configuration of Terragrunt; other tools have files of that ending."""
    return bool(_TERRAGRUNT.search(text))


def first_line(text: str) -> int:
    """The first line, from 1, that names a resource of interest."""
    first = min((at for word in _WORDS if (at := text.find(word)) >= 0), default=0)
    return text.count("\n", 0, first) + 1
