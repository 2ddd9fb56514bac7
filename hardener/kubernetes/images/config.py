"""What the config of an image says of it.

Source of the config: github.com/opencontainers/image-spec, config.md; of what a USER means: the kubelet, which refuses
a name under `runAsNonRoot` (pkg/kubelet/kuberuntime/security_context_others.go).
"""

from __future__ import annotations

from msgspec import Struct

ROOT_NAMES = frozenset({"", "0", "root"})
SOME_NUMBER = "a number"
"""The user of an image that runs under `runAsNonRoot`, where nothing says which number it is."""
NOBODY_ELSE = 65532
"""The number that images without a user of their own get: high enough to be no user of the node, within the range of
user namespaces, and what distroless images call nonroot."""


class ImageConfig(Struct, frozen=True):
    """The parts of an image's config that decide something; None where it is not known.

    - `user`: USER as it stands there, "" when the image names none.
    - `exposed_ports`: "80/tcp", "53/udp" or "80". `volumes`: the paths of its VOLUMEs.
    - `created`: when it was made, as RFC 3339 writes it; a build that is to be reproducible names a day long ago.
    - `entrypoint`, `cmd`: the words that it runs by itself; () where they are not known, or there are none.
    - `secret_env`, `secret_args`: the names of its variables, and of arguments of its build, that hold a credential.
    """

    user: str | None = None
    exposed_ports: tuple[str, ...] | None = None
    volumes: tuple[str, ...] | None = None
    created: str | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    secret_env: tuple[str, ...] = ()
    secret_args: tuple[str, ...] = ()


UNKNOWN = ImageConfig()


def plain_user(user: str) -> str:
    """USER without its group: "1000:1000" -> "1000", "nginx" unchanged; root under any of its names -> "root"."""
    name = user.strip().partition(":")[0]
    return "root" if name in ROOT_NAMES or (name.isdecimal() and int(name) == 0) else name
