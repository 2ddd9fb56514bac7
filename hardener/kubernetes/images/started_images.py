"""Images that a program starts by itself, by the names of the variables and flags that say so.

Source: operators of OLM (`RELATED_IMAGE_*`), prometheus-operator (`--prometheus-config-reloader=`), and their like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from hardener.kubernetes.images.reference import ImageReference, read
from hardener.support.late_pattern import late_pattern

_VARIABLE = re.compile(r"^RELATED_IMAGE_|_IMAGE$")
_FLAG = late_pattern(r"^--?([a-z0-9-]*(?:image|reloader))(?:=(\S+))?$")


def started_images(env: Mapping[str, str], words: Iterable[str]) -> Iterator[tuple[str, ImageReference]]:
    """The variables of ``env`` and the flags in ``words`` that name an image, each with it; it may have a fault."""
    for name, value in env.items():
        if _VARIABLE.search(name) and (image := _image(value)):
            yield name, image
    for word, following in pairwise([*words, ""]):
        if flag := _FLAG.match(word):
            name, value = flag.groups()
            if image := _image(following if value is None else value):
                yield f"--{name}", image


def _image(text: str) -> ImageReference | None:
    image = read(text)
    known = image is not None and not image.opaque and (image.tag or image.digest or image.fault or "/" in text)
    return image if known else None
