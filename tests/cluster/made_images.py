"""Images that differ in what they need, and what harden and a node make of a pod of each.

Those with a Dockerfile in the tree are known by it; nothing is known of the others. All of them serve HTTP, and end
where something that they need is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..oci_images import File
from .node import Made

VARIANTS = {
    "user": ("run-as-user", "run-as-non-root", "drop-capabilities"),
    "root": ("read-only-root-filesystem",),
    "host": ("no-privileged",),
}
"""The rules of which what is held back is tried out together."""
STARTS = ""
_SERVE = "exec httpd -f -p 8080 -h /www"
_ON_80 = "exec httpd -f -p 80 -h /www"
_CHOWN = f"chown -R web /www\n{_SERVE}"
_SWITCH = "exec su -s /bin/sh web -c 'exec httpd -f -p 8080 -h /www'"
_AS_ROOT = f'[ "$(id -u)" = 0 ] || {{ echo "not root" >&2; exit 1; }}\n{_SERVE}'
_AS_WEB = f'[ "$(id -u)" = 1234 ] || {{ echo "not web" >&2; exit 1; }}\n{_SERVE}'
_KEEP_STATE = f"echo 1 > /var/lib/app/state\n{_SERVE}"
_READ_SEED = f"cat /var/lib/app/seed\n{_SERVE}"
_STATE = (File("var/"), File("var/lib/"), File("var/lib/app/", owner=(1234, 1234)))
_SEED = (*_STATE, File("var/lib/app/seed", b"1\n", owner=(1234, 1234)))
_ADD_WEB = "RUN adduser -D -u 1234 web\n"
_OWN_STATE = "RUN mkdir -p /var/lib/app && chown 1234 /var/lib/app\n"
_TAKE_SEED = "COPY --chown=1234 seed /var/lib/app/seed\nRUN chown 1234 /var/lib/app\n"
_ALLOW_80 = "RUN cp /bin/busybox /bin/busybox-low && setcap cap_net_bind_service=+ep /bin/busybox-low\n"
_PORT_80 = "    ports: [{containerPort: 80}]\n"
_PRIVILEGED = "    securityContext: {privileged: true}\n"


def _context(text: str) -> str:
    return f"    securityContext: {{{text}}}\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """``script`` is what the image starts as ``user``, and ``files`` what else is in it; ``steps`` are the lines of its
    Dockerfile between, None where the tree has none. ``container`` is what the manifest says beside the image, and
    ``row`` a row of the configuration.

    ``written`` is what a pod ends with as its author wrote it (the runtime of the node gives no low port to a user),
    ``made`` the controls that its container has at the default gate, and ``default`` what it ends with there. Of
    what is held back, by ``VARIANTS``: ``ends`` is what the pod ends with that has it all the same (of a variant that
    is left out: it starts), and ``signs`` what the evidence says where the step is ``breaking``.
    """

    script: str = _SERVE
    user: str = ""
    files: tuple[File, ...] = ()
    binds_low_ports: bool = False
    steps: str | None = None
    container: str = ""
    row: str = ""
    written: str = STARTS
    made: str = ""
    default: str = STARTS
    ends: dict[str, str] = field(default_factory=dict)
    signs: dict[str, str] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, str]:
        """What the image is built from, by the names in its folder; {} where nobody knows."""
        if self.steps is None:
            return {}
        start = 'COPY entry.sh /entry.sh\nENTRYPOINT ["sh", "/entry.sh"]\n' + f"USER {self.user}\n" * bool(self.user)
        found = {"Dockerfile": f"FROM busybox:1.37\nRUN mkdir /www\n{self.steps}{start}", "entry.sh": self._entry}
        return found | {"seed": "1\n"} if "seed" in self.steps else found

    @property
    def _entry(self) -> str:
        return f"#!/bin/sh\nset -e\n{self.script}\n"

    @property
    def image(self) -> Made:
        """The image itself."""
        config = {"Entrypoint": ["sh", "/entry.sh"], "User": self.user}
        return Made(config, (*self.files, File("entry.sh", self._entry.encode(), 0o755)), self.binds_low_ports)


_ALL = "non-root read-only drop-all"
CASES = {
    # A user that is a number, a name, or root.
    "number": Case(user="1234", steps="", made=_ALL),
    "number-unknown": Case(user="1234"),
    "name": Case(user="web", steps=_ADD_WEB, made=_ALL),
    "name-without-number": Case(
        user="web", steps="RUN adduser -D web\n", made="read-only drop-all", ends={"user": STARTS}
    ),
    "name-unknown": Case(user="web"),
    "root": Case(steps="", ends={"user": STARTS}),
    "root-by-number": Case(user="0", steps=""),
    "root-unknown": Case(ends={"user": STARTS, "root": STARTS}),
    "written-number": Case(user="web", container=_context("runAsUser: 1234"), made=_ALL),
    "written-root": Case(
        script=_CHOWN, container=_context("runAsUser: 0"),
        ends={"user": "Operation not permitted", "root": "Read-only file system"},
    ),
    "row": Case(user="1234", row='{match: registry.example.com/row, user: "1234"}', made=_ALL),
    # What the start needs.
    "chown": Case(
        script=_CHOWN, steps=_ADD_WEB,
        ends={"user": "Operation not permitted", "root": "Read-only file system"}, signs={"user": "chown"},
    ),
    "chown-unknown": Case(
        script=_CHOWN, ends={"user": "Operation not permitted", "root": "Read-only file system"}
    ),
    "switch": Case(script=_SWITCH, steps=_ADD_WEB, ends={"user": "must be suid"}, signs={"user": "su"}),
    "as-root": Case(script=_AS_ROOT, steps="", ends={"user": "not root"}),
    "as-root-unknown": Case(script=_AS_ROOT, ends={"user": "not root"}),
    "as-web": Case(script=_AS_WEB, user="1234", steps="", made=_ALL),
    "as-web-unknown": Case(script=_AS_WEB, user="1234", ends={"user": "not web"}),
    "privileged": Case(container=_PRIVILEGED),
    # The price of a rule: `privileged` is taken away where no sign shows a need, and here none does.
    "privileged-in-silence": Case(
        script=f"mount -t tmpfs scratch /mnt\n{_SERVE}", container=_PRIVILEGED, default="permission denied",
    ),
    # A port below 1024.
    "port": Case(script=_ON_80, steps="", container=_PORT_80),
    "port-number": Case(
        script=_ON_80, user="1234", steps="", container=_PORT_80, written="bind: Permission denied", made=_ALL
    ),
    "port-unknown": Case(script=_ON_80, container=_PORT_80, ends={"user": STARTS}),
    "port-in-silence": Case(script=_ON_80, ends={"user": "bind: Permission denied"}),
    "port-of-the-program": Case(
        script="exec busybox-low httpd -f -p 80 -h /www", user="1234", steps=_ALLOW_80, binds_low_ports=True, made=_ALL
    ),
    # What is written.
    "state": Case(script=_KEEP_STATE, user="1234", steps=_OWN_STATE, files=_STATE, made=_ALL),
    "state-unknown": Case(
        script=_KEEP_STATE, user="1234", files=_STATE,
        ends={"user": "Permission denied", "root": "Read-only file system"},
    ),
    "temporary": Case(script=f"echo 1 > /tmp/state\n{_SERVE}", user="1234", steps="", made=_ALL),
    "temporary-unknown": Case(script=f"echo 1 > /tmp/state\n{_SERVE}", user="1234", ends={"root": STARTS}),
    "home-unknown": Case(
        script=f"mkdir /home/web/.cache\n{_SERVE}", user="1234",
        ends={"user": "Permission denied", "root": "Read-only file system"},
    ),
    "top-unknown": Case(
        script=f"touch /state\n{_SERVE}", ends={"user": "Permission denied", "root": "Read-only file system"}
    ),
    "filled": Case(
        script=f"echo 2 > /var/lib/app/state\n{_READ_SEED}", user="1234", steps=_TAKE_SEED, files=_SEED,
        made="non-root drop-all", ends={"root": "Read-only file system"}, signs={"root": "may hold files"},
    ),
    # containerd puts a writable copy at a VOLUME; CRI-O may leave it as it is, and the step counts on neither.
    "filled-volume": Case(
        script=_READ_SEED, user="1234", steps=f"{_TAKE_SEED}VOLUME /var/lib/app\n", files=_SEED,
        made="non-root drop-all", ends={"root": STARTS}, signs={"root": "would hide"},
    ),
}  # fmt: skip
