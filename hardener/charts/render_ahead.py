"""Several releases of one chart rendered by one process of helm, most of whose time goes into its start.

A template of ours includes those of the chart once for each release, with what helm would give them. Nothing rests on
that being the same: what is decided on such a render counts only where helm, asked for the release itself with the
values that were found, prints this render with the decided changes and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from hardener.charts.helm import ChartError, Helm, scratch

_MOST = 50  # releases of one render
_MOST_REFUSED = 6  # renders that fail before the rest is left to be rendered one by one
_NAMESPACE = "default"  # of helm
_FILE = "harden-ahead"
_TEMPLATE = """\
{{- $given := .Files.Get "@FILE.json" | fromJson }}
{{- range $number, $release := $given.releases }}
{{- $scope := dict "Values" $release.values "Chart" $.Chart "Capabilities" $.Capabilities "Files" $.Files }}
{{- $_ := set $scope "Subcharts" $.Subcharts }}
{{- $named := dict "Name" $release.name "Namespace" $release.namespace "Service" "Helm" "Revision" 1 }}
{{- $_ := set $scope "Release" (merge $named (dict "IsInstall" true "IsUpgrade" false)) }}
{{- range $name := $given.templates }}
{{- $_ := set $scope "Template" (dict "Name" $name "BasePath" $given.base) }}
{{- range $document := regexSplit "(?:^|\\\\s*\\\\n)---\\\\s*" (include $name $scope) -1 }}
{{- if trim $document }}
---
# harden: {{ $number }} {{ $name }}
{{ regexReplaceAll "^(?:---\\\\s*)+" $document "" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
""".replace("@FILE", _FILE)
_ALIAS = '{{{{- define "{base}/{name}" }}}}{{{{ include "{base}/{kept}" . }}}}{{{{ end }}}}\n'


class Ahead(Struct, frozen=True):
    """A release: its name and namespace, and all values that its chart has then."""

    release: str
    namespace: str | None
    values: dict[str, Any]


def render_ahead(
    helm: Helm, folder: str, name: str, releases: Sequence[Ahead], *, kube_version: str | None = None
) -> list[str | None]:
    """Return what helm prints of the chart ``name`` in ``folder``, a copy of ours, for each of ``releases``; None for
    one that has to be rendered by itself. Raises ProgramError."""
    found: list[str | None] = [None] * len(releases)
    try:
        with scratch() as place:
            target = os.path.join(place, os.path.basename(folder))
            shutil.copytree(folder, target)
            _include_all(target, name)
            waiting = [range(n, min(n + _MOST, len(releases))) for n in range(0, len(releases), _MOST)]
            refused = 0
            while waiting and refused < _MOST_REFUSED:
                some = waiting.pop(0)
                _write(target, name, [releases[n] for n in some])
                try:
                    printed = helm.template(target, schema=False, kube_version=kube_version)
                except ChartError:
                    refused += 1
                    half = len(some) // 2
                    waiting += [some[:half], some[half:]] if half else []
                    continue
                for number, text in _by_release(printed, name, len(some)):
                    found[some[number]] = text
    except ChartError:  # of the folder: they are rendered one by one
        pass
    return found


def _include_all(folder: str, name: str) -> None:
    """Have helm print none of the templates in ``folder`` by itself, and find each by the name that it has."""
    base = os.path.join(folder, "templates")
    aliases = []
    for top, _, files in os.walk(base):
        for file in sorted(files):
            if file.startswith("_"):
                continue
            os.rename(os.path.join(top, file), os.path.join(top, f"_{file}"))
            below = os.path.relpath(top, base).replace(os.sep, "/")
            above = "" if below == os.curdir else f"{below}/"
            aliases.append(_ALIAS.format(base=f"{name}/templates", name=f"{above}{file}", kept=f"{above}_{file}"))
    with open(os.path.join(base, f"_{_FILE}.tpl"), "w", encoding="utf-8") as handle:
        handle.write("".join(aliases))
    with open(os.path.join(base, f"{_FILE}.yaml"), "w", encoding="utf-8") as handle:
        handle.write(_TEMPLATE)


def _write(folder: str, name: str, releases: Sequence[Ahead]) -> None:
    base = f"{name}/templates"
    given = {
        "base": base,
        "templates": [f"{base}/{each}" for each in _templates(os.path.join(folder, "templates"))],
        "releases": [
            {"name": one.release, "namespace": one.namespace or _NAMESPACE, "values": one.values} for one in releases
        ],
    }
    with open(os.path.join(folder, f"{_FILE}.json"), "w", encoding="utf-8") as handle:
        json.dump(given, handle, default=str)


def _templates(base: str) -> list[str]:
    """The names of the templates that were to print something, in the order of helm: the deepest ones first, and from
    the end of the alphabet, which one sees that changes values."""
    with open(os.path.join(base, f"_{_FILE}.tpl"), encoding="utf-8") as handle:
        found = re.findall(r'define "[^"]*?/templates/([^"]+)"', handle.read())
    names = [name for name in found if not name.endswith(".txt")]
    return sorted(names, key=lambda name: (name.count("/"), name), reverse=True)


def _by_release(printed: str, name: str, count: int) -> Iterator[tuple[int, str]]:
    """What was ``printed`` for each of ``count`` releases, as helm prints it for one."""
    mark = re.compile(rf"(?m)^---[ \t]*\n# Source: {re.escape(name)}/templates/{_FILE}\.yaml\n# harden: (\d+) (\S+)\n")
    starts = list(mark.finditer(printed))
    parts: dict[int, list[str]] = {number: [] for number in range(count)}
    for number, match in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(printed)
        parts[int(match[1])].append(f"---\n# Source: {match[2]}\n{printed[match.end() : end]}")
    for number, texts in parts.items():
        if texts:
            yield number, "".join(texts)
