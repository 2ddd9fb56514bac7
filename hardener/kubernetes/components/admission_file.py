"""The file that an API server reads the configuration of its admission plugins from.

Source: apiserver.config.k8s.io/v1 AdmissionConfiguration; pod-security.admission.config.k8s.io/v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOLDER = "/etc/kubernetes/admission"
"""Where it stands on a control-plane node."""


def text(configuration: Mapping[str, Any]) -> str:
    """The file with one plugin, PodSecurity, that is configured by ``configuration``."""
    lines = [
        "apiVersion: apiserver.config.k8s.io/v1",
        "kind: AdmissionConfiguration",
        "plugins:",
        "- name: PodSecurity",
        "  configuration:",
        *_lines(configuration, "    "),
    ]
    return "\n".join(lines) + "\n"


def _lines(value: Mapping[str, Any], indent: str) -> list[str]:
    found = []
    for key, item in value.items():
        if isinstance(item, Mapping):
            found += [f"{indent}{key}:", *_lines(item, indent + "  ")]
        elif isinstance(item, list):
            found += [f"{indent}{key}:", *(f"{indent}- {each}" for each in item)]
        else:
            found.append(f"{indent}{key}: {item}")
    return found
