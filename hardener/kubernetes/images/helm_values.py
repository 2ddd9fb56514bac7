"""Images in the values of a Helm chart: parts that a template puts together, or a text.

Source: helm.sh/docs/chart_best_practices/values and the chart of `helm create`: `image: {repository, tag}`, where an
empty tag is the appVersion of the chart; bitnami and others: `registry` and `digest` beside them. An image volume
has `image: {reference, pullPolicy}` (core/v1, ImageVolumeSource), which charts take over as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hardener.kubernetes.images.reference import ImageReference, read
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern

_DEEPEST = 40
_FILE = re.compile(r"values[^/]*\.ya?ml")
_NAMES_ONE = late_pattern(r"""\b(?:repository|image|tag|reference)["']?[ \t]*:""")


def is_values_name(name: str) -> bool:
    """Whether a file of this name, without its folder, holds values where it stands beside a Chart.yaml."""
    return _FILE.fullmatch(name) is not None


def may_name_images(text: str) -> bool:
    """Whether values may name an image, or the tag of one; tells without parsing."""
    return _NAMES_ONE.search(text) is not None


def composed(parts: Mapping[str, Any], app_version: str | None = None) -> ImageReference | None:
    """The image of `registry`, `repository`, `tag` and `digest`, which may have a fault; None without a tag or digest,
    which nobody knows."""
    tag, digest = parts.get("tag"), parts.get("digest")
    if tag in (None, ""):
        tag = None if digest else app_version
    if not parts.get("repository") or (tag is None and not digest):
        return None
    name = "/".join(str(parts[key]) for key in ("registry", "repository") if parts.get(key))
    return read(f"{name}{f':{tag}' if tag is not None else ''}{f'@{digest}' if digest else ''}")


def images(values: object, app_version: str | None, path: Path = ()) -> Iterator[tuple[Path, ImageReference]]:
    """The images that ``values`` name, each with its place."""
    if len(path) > _DEEPEST:
        return
    if isinstance(values, list):
        for index, child in enumerate(values):
            yield from images(child, app_version, (*path, index))
    elif isinstance(values, Mapping):
        if isinstance(values.get("repository"), str) and "tag" in values:
            image = composed(values, app_version)
            if image is not None:
                yield path, image
            return
        for key, child in values.items():
            if isinstance(key, str):
                yield from _below(key, child, app_version, (*path, key))


def _below(key: str, child: object, app_version: str | None, path: Path) -> Iterator[tuple[Path, ImageReference]]:
    """The images at a key of the values: the text at `image`, that at `reference` of an `image`, which is a
    volume, else what stands below it."""
    is_volume = key == "reference" and path[-2:-1] == ("image",)
    if not (key == "image" or is_volume) or not isinstance(child, str):
        yield from images(child, app_version, path)
        return
    image = read(child)
    if image is not None and (image.tag or image.digest or image.fault):
        yield path, image
