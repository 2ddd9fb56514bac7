"""Versions and cipher suites of TLS that a component accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Basis, Evidence
from hardener.authoring.transform import Steps
from hardener.errors import InputError
from hardener.kubernetes.components.flag_values import GOOD_SUITES, entries, is_weak, tls_older
from hardener.tree.control_plane import HOSTED, Component, how

_VERSION, _SUITES = "tls-min-version", "tls-cipher-suites"
_TLS_1_2, _TLS_1_3 = "VersionTLS12", "VersionTLS13"
_OF_ITS_OWN = ("static-pod", HOSTED, "kubeadm", "file")  # what a distribution takes, it decides itself


@dataclass(frozen=True)
class Tls:
    """``minimum``: the oldest version that components accept, VersionTLS12 or VersionTLS13."""

    GROUP: ClassVar[str] = "tls"
    minimum: str = _TLS_1_2

    def __post_init__(self) -> None:
        if self.minimum not in (_TLS_1_2, _TLS_1_3):
            raise InputError(f"tls.minimum: {self.minimum} is neither {_TLS_1_2} nor {_TLS_1_3}")


def version(component: Component, minimum: str) -> Steps:
    """Yield the steps up to TLS 1.2, which nothing of today lacks, and from there to ``minimum``."""
    if not component.can(_VERSION):
        return
    held = component.value(_VERSION)
    if tls_older(held, _TLS_1_2):
        yield component.set(_VERSION, _TLS_1_2, how(component, component.state(_VERSION)))
    if minimum == _TLS_1_3 and held != _TLS_1_3 and component.installer in _OF_ITS_OWN:
        clients = Evidence("a client without TLS 1.3 is refused")
        words = how(component, component.state(_VERSION), against=[clients])
        yield component.set(_VERSION, _TLS_1_3, words)


def suites(component: Component, *, when_unset: bool) -> Steps:
    """Yield the step that takes weak suites off a list, or writes the list ``when_unset``."""
    if not component.can(_SUITES):
        return
    listed = entries(component.get(_SUITES))
    weak = [name for name in listed if is_weak(name)]
    if weak and len(weak) < len(listed):
        evidence = component.fact(f"it accepts {', '.join(weak)}", _SUITES)
        yield component.without(_SUITES, weak, how(component, evidence))
    elif weak:
        evidence = component.fact(f"it accepts nothing but {', '.join(weak)}", _SUITES)
        yield component.set(_SUITES, ",".join(GOOD_SUITES), how(component, evidence))
    elif not listed and when_unset:
        evidence = Evidence("without a list it accepts what its version of Go accepts")
        words = how(component, evidence, Evidence("the list is that of CIS 4.2.12"), basis=Basis.INFERRED)
        yield component.set(_SUITES, ",".join(GOOD_SUITES), words)
