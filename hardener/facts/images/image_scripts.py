"""What scripts of well-known images do that a command, or a variable, asks them for: facts that hold for some of the
containers of an image, and so stand in no row of it.

Sources: docker-entrypoint.sh and cron.sh of github.com/nextcloud/docker.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence
from hardener.facts.images.container_commands import own_command
from hardener.facts.images.products import products
from hardener.tree.core_views import Container

# By image, what a script that is named as the command needs root for.
_NEED_ROOT = {"docker.io/library/nextcloud": {"/cron.sh": "crond"}}
# By image, the files that its entrypoint writes where a variable is set.
_WRITE_WITH = {"docker.io/library/nextcloud": (("REDIS_HOST", "/usr/local/etc/php/conf.d/redis-session.ini"),)}


def scripts_of_root(container: Container) -> Iterator[Evidence]:
    """The scripts of its image that ``container`` is told to run and that start what only root can."""
    for image in products(container):
        known = _NEED_ROOT.get(image.normalized or "", {})
        for word in container.command:
            if word in known:
                yield container.fact(f"container {container.name} runs {word} of its image, which starts {known[word]}")


def writes_by_variables(container: Container) -> Iterator[tuple[str, Evidence]]:
    """The files that the entrypoint of its image writes since a variable of ``container`` is set, each with that."""
    known = [each for image in products(container) for each in _WRITE_WITH.get(image.normalized or "", ())]
    if not known or not own_command(container):
        return
    items = {item.text("name"): item for item in container.items("env")}
    for name, path in known:
        if name in items:
            yield path, items[name].fact(f"with {name} its entrypoint writes to {path}", "name")
