"""Images that read a variable from a file when another variable names that file.

Sources: the entrypoints and documentation of the images, of the official registries only.
"""

from __future__ import annotations

import re

_MYSQL = "MYSQL_(ROOT_PASSWORD|ROOT_HOST|DATABASE|USER|PASSWORD)"
# Normalised repository or how it begins (*), pattern of the variables, what is added to the name.
_IMAGES = (
    ("docker.io/library/postgres", "POSTGRES_(PASSWORD|USER|DB|INITDB_ARGS)", "_FILE"),
    ("docker.io/library/mysql", _MYSQL, "_FILE"),
    ("docker.io/library/mariadb", f"{_MYSQL}|MARIADB_(ROOT_PASSWORD|ROOT_HOST|DATABASE|USER|PASSWORD)", "_FILE"),
    ("docker.io/library/mongo", "MONGO_INITDB_ROOT_(USERNAME|PASSWORD)", "_FILE"),
    ("docker.io/library/wordpress", r"WORDPRESS_(DB_(HOST|USER|PASSWORD|NAME)|\w+_(KEY|SALT))", "_FILE"),
    ("docker.io/library/nextcloud", "(MYSQL_(DATABASE|USER|PASSWORD)|POSTGRES_(DB|USER|PASSWORD))", "_FILE"),
    ("docker.io/library/nextcloud", "NEXTCLOUD_ADMIN_(USER|PASSWORD)", "_FILE"),
    ("docker.io/minio/minio", "MINIO_ROOT_(USER|PASSWORD)", "_FILE"),
    ("quay.io/minio/minio", "MINIO_ROOT_(USER|PASSWORD)", "_FILE"),
    ("docker.io/grafana/grafana*", r"GF_\w+", "__FILE"),
    ("docker.io/gitea/gitea", r"GITEA__\w+", "__FILE"),
    ("docker.io/bitnami/postgresql*", r"POSTGRESQL_\w*PASSWORD", "_FILE"),
    ("docker.io/bitnami/mysql", r"MYSQL_\w*PASSWORD", "_FILE"),
    ("docker.io/bitnami/mariadb*", r"MARIADB_\w*PASSWORD", "_FILE"),
    ("docker.io/bitnami/mongodb*", r"MONGODB_\w*PASSWORD", "_FILE"),
    ("docker.io/bitnami/redis*", r"REDIS_\w*PASSWORD", "_FILE"),
)  # fmt: skip


def file_variable(repository: str | None, name: str) -> str | None:
    """The variable that names a file with what variable ``name`` would hold, for an image of the normalised
    ``repository``; None where that is not known."""
    for image, variables, suffix in _IMAGES:
        if repository is not None and _is(repository, image) and re.fullmatch(variables, name):
            return name + suffix
    return None


def _is(repository: str, image: str) -> bool:
    return repository.startswith(image[:-1]) if image.endswith("*") else repository == image
