"""Rules by which Falco and Tetragon report what a hardened workload never does.

Sources: falco.org rules reference and the fields of the rules of falcosecurity/rules (``evt.dir`` is gone there);
tetragon.io, TracingPolicy. Nothing here stops a process: the rules report.
"""

from __future__ import annotations

from collections.abc import Sequence

_TOKENS = ("/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/kubernetes.io/serviceaccount")
_METADATA = ("169.254.169.254/32", "fd00:ec2::254/128")

_FALCO = """\
# Rules of harden for Falco. They report; a hardened workload does none of this.
- required_engine_version: 0.57.0

- macro: harden_ctr
  condition: (container.id != host)

- list: harden_namespaces
  items: [{namespaces}]

- list: harden_shells
  items: [ash, bash, csh, dash, ksh, sh, tcsh, zsh]

- rule: Harden shell in container
  desc: A shell was started in a namespace that is hardened in Git.
  condition: >
    evt.type in (execve, execveat) and harden_ctr and proc.name in (harden_shells)
    and k8s.ns.name in (harden_namespaces)
  output: Shell in a hardened container | ns=%k8s.ns.name pod=%k8s.pod.name cmd=%proc.cmdline parent=%proc.pname
  priority: WARNING
  tags: [harden, K10]

- rule: Harden cloud metadata access
  desc: A container talks to the metadata service of its node.
  condition: >
    evt.type = connect and harden_ctr and (fd.typechar = 4 or fd.typechar = 6)
    and (fd.sip = "169.254.169.254" or fd.sip = "fd00:ec2::254")
  output: Cloud metadata access | ns=%k8s.ns.name pod=%k8s.pod.name cmd=%proc.cmdline conn=%fd.name
  priority: WARNING
  tags: [harden, K08]

- rule: Harden service account token read
  desc: A token was read in a namespace where pods get none unless they ask for it.
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_read = true and harden_ctr
    and (fd.name startswith {tokens[0]} or fd.name startswith {tokens[1]})
    and k8s.ns.name in (harden_namespaces)
  output: Service account token read | ns=%k8s.ns.name pod=%k8s.pod.name file=%fd.name cmd=%proc.cmdline
  priority: NOTICE
  tags: [harden, K09]
"""

_TETRAGON = """\
# Policies of harden for Tetragon. They report; a hardened workload does none of this.
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: harden-cloud-metadata
  labels:
    app.kubernetes.io/managed-by: harden
spec:
  kprobes:
  - call: tcp_connect
    syscall: false
    args:
    - index: 0
      type: sock
    selectors:
    - matchArgs:
      - index: 0
        operator: DAddr
        values:
        - {metadata[0]}
        - {metadata[1]}
---
{kind}
  kprobes:
  - call: security_file_permission
    syscall: false
    args:
    - index: 0
      type: file
    - index: 1
      type: int
    selectors:
    - matchArgs:
      - index: 0
        operator: Prefix
        values:
        - {tokens[0]}
        - {tokens[1]}
      - index: 1
        operator: Equal
        values:
        - "4" # MAY_READ
"""


def falco_rules(namespaces: Sequence[str]) -> str:
    """A file of rules for Falco; ``namespaces``, at least one, are those that are hardened."""
    return _FALCO.format(namespaces=", ".join(sorted(namespaces)), tokens=_TOKENS)


def tetragon_policies() -> str:
    """A file of TracingPolicies, for all namespaces."""
    kind = (
        "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: harden-account-tokens\n  labels:\n"
        "    app.kubernetes.io/managed-by: harden\nspec:"
    )
    return _TETRAGON.format(metadata=_METADATA, tokens=_TOKENS, kind=kind)
