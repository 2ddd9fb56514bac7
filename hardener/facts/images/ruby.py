"""What shows that a container runs Ruby, and whether it finds a folder for temporary files that Ruby takes."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence
from hardener.facts.images.container_commands import spoken
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.kubernetes.images.ruby import PROGRAMS, TEMPORARY, is_ruby_image, ruby_variables
from hardener.kubernetes.pods.command_evidence import below
from hardener.kubernetes.pods.configured_paths import one_run
from hardener.kubernetes.pods.shell import started
from hardener.tree.core_views import Container


def shows_ruby(container: Container) -> Evidence | None:
    """What shows that ``container`` runs Ruby: its image, the base of it, its command or a variable; None where nothing
    does."""
    return next(_signs(container), None)


def _signs(container: Container) -> Iterator[Evidence]:
    image = container.image
    if image is not None and image.normalized is not None:
        if is_ruby_image(image.normalized):
            yield container.fact("its image runs Ruby", "image")
        built = container.tree.ask(BuiltImages).of(image)
        if built is not None and built.base is not None and is_ruby_image(built.base.normalized or ""):
            yield Evidence(f"{built.said_at(built.base_said)}: its image is built on {built.base.text}, which is Ruby")
    for name, speaker in spoken(container, lambda words: [each for each in started(words) if each in PROGRAMS]):
        yield speaker.says(f"runs {name}, which is Ruby")
    for name in ruby_variables(container.env):
        yield container.fact(f"container {container.name} has the variable {name} of Ruby", "env")


def has_own_temporary_folder(container: Container) -> bool:
    """Whether a variable names a folder for temporary files that lies below a volume: somebody made it there, and with
    a mode of its own."""
    mounted = [mount.text("mountPath") or "" for mount in container.items("volumeMounts")]
    for name in TEMPORARY:
        folder = one_run(container.env.get(name, ""))
        if any(folder.rstrip("/") != one_run(place).rstrip("/") and below(folder, one_run(place)) for place in mounted):
            return True
    return False
