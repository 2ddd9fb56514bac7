"""Configuration files of components that a ConfigMap holds as a text, as kubeadm keeps them in kube-system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.sources.yaml import TextError
from hardener.support.data_path import Path, joined
from hardener.tree.control_plane import reading
from hardener.tree.control_plane.component import Component
from hardener.tree.core_views import Object
from hardener.tree.view import View

_GROUPS = ("kubelet.config.k8s.io/", "kubeproxy.config.k8s.io/", "kubescheduler.config.k8s.io/", "kubeadm.k8s.io/")


class _Held(Object):
    """An object that is written as a text at ``at`` of ``holder``: everything in it stands there."""

    def __init__(self, holder: View, at: Path, data: dict[str, Any]) -> None:
        super().__init__(holder.tree, holder.object.piece, (), data)
        self._place = holder.object.place(joined(holder.path, at))

    @property
    def is_held(self) -> bool:
        return True

    def place(self, path: Path) -> tuple[Piece, Path]:
        return self._place


def held_components(config_map: View) -> Iterator[tuple[str, Component]]:
    """The components that texts in ``data`` of a ConfigMap configure, each with the key of its text. A text that cannot
    be read holds none."""
    for key in config_map.keys("data"):
        text = config_map.text("data", key) or ""
        if any(group in text for group in _GROUPS):
            for document in _documents(text):
                held = _Held(config_map, ("data", key), document)
                yield from ((key, component) for component in reading.components(held))


def _documents(text: str) -> list[dict[str, Any]]:
    try:
        found: list[Any] = [each for one in yaml.segments(text) for each in yaml.documents(one.text)]
    except TextError:
        return []
    return [each for each in found if isinstance(each, dict)]
