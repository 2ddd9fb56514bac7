"""What a Dockerfile says of its image: the stage that counts, variables, accounts, paths, scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.facts.images.dockerfiles import instructions
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.model import BuiltImage
from hardener.kubernetes.images.reference import parse
from hardener.tree.tree import Tree

from .calls import calls


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def built(root: Path, files: dict[str, str], image: str = "web") -> BuiltImage | None:
    """What the tree of ``files`` says of ``image``."""
    write(root, files)
    reference = parse(image)
    assert reference is not None
    return Tree(root=str(root.resolve())).ask(BuiltImages).of(reference)


def read(root: Path, text: str, **files: str) -> BuiltImage:
    found = built(root, {"web/Dockerfile": text, **{f"web/{name}": body for name, body in files.items()}})
    assert found is not None
    return found


def lines(image: BuiltImage, name: str) -> list[str]:
    """The evidence of a field, without the name of the file."""
    return [text.partition("Dockerfile:")[2] or text for text in image.evidence(name)]


USERS = {
    "a number": ("FROM a\nUSER 1000\n", ["2: USER 1000"], 1000, None),
    "a number and a group": ("FROM a\nUSER 1000:2000\n", ["2: USER 1000:2000"], 1000, 2000),
    "the last one counts": ("FROM a\nUSER 1\nUSER app\n", ["3: USER app"], None, None),
    "root": ("FROM a\nUSER root\n", ["2: USER root"], 0, 0),
    "none is said": ("FROM a\nRUN true\n", [], None, None),
    "in lower case": ("from a\nuser 7\n", ["2: USER 7"], 7, None),
    "another stage": ("FROM a AS build\nUSER 5\nFROM b\n", [], None, None),
    "made from a stage": ("FROM a AS build\nUSER 5\nFROM build\nRUN true\n", ["2: USER 5"], 5, None),
    "an argument": ("FROM a\nARG UID=1234\nUSER ${UID}\n", ["3: USER 1234"], 1234, None),
    "an argument before FROM": ("ARG UID=12\nFROM a\nARG UID\nUSER $UID:$UID\n", ["4: USER 12:12"], 12, 12),
    "a variable": ("FROM a\nENV APP=web U=$APP\nUSER $APP\n", ["3: USER web"], None, None),
    "a default": ("FROM a\nUSER ${NOBODY_SET:-33}\n", ["2: USER 33"], 33, None),
    "an account of useradd": ("FROM a\nRUN useradd -rmu 1001 -s /bin/sh app\nUSER app\n", ["3: USER app"], 1001, None),
    "accounts of BusyBox": (
        "FROM a\nRUN addgroup -S -g 101 app && adduser -S -D -H -u 100 -G app app\nUSER app\n",
        ["3: USER app"],
        100,
        101,
    ),
    "accounts of Debian": (
        "FROM a\nRUN addgroup --gid 11 g; adduser --disabled-password --gecos '' --uid 10 --ingroup g app\nUSER app\n",
        ["3: USER app"],
        10,
        11,
    ),
    "accounts with equals signs": (
        "FROM a\nRUN groupadd --gid=21 g \\\n  # both\n\n  && useradd --uid=20 --gid=21 app\nUSER app:g\n",
        ["6: USER app:g"],
        20,
        21,
    ),
    "a line of passwd": (
        'FROM scratch\nRUN echo "nobody:x:65534:65534:Nobody:/:" >> /etc/passwd\nUSER nobody\n',
        ["3: USER nobody"],
        65534,
        65534,
    ),
    "passwd of another stage": (
        "FROM a AS build\nRUN useradd -u 42 app\nFROM scratch\nCOPY --from=build /etc/passwd /etc/passwd\nUSER app\n",
        ["5: USER app"],
        42,
        None,
    ),
    "an account of Node.js": ("FROM node:20-alpine\nUSER node\n", ["2: USER node"], 1000, 1000),
    "an account of .NET": ("FROM mcr.microsoft.com/dotnet/aspnet:8.0\nUSER $APP_UID\n", ["2: USER 1654"], 1654, 1654),
    "an account of somebody's image": ("FROM acme/node\nUSER node\n", ["2: USER node"], None, None),
    "an account changed": ("FROM node\nRUN usermod -u 5 node\nUSER node\n", ["3: USER node"], 5, 1000),
    "an escape of Windows": ("# escape=`\nFROM a\nRUN x `\n  y\nUSER 9\n", ["5: USER 9"], 9, None),
    "a here-document": ("FROM a\nRUN <<EOF\nUSER 3\nuseradd -u 8 app\nEOF\nUSER app\n", ["6: USER app"], 8, None),
    "the end cuts it off": ("FROM a\nUSER 6 \\", ["2: USER 6"], 6, None),
    "line ends of Windows": ("FROM a\r\nRUN x \\\r\n  y\r\nUSER 6\r\n", ["4: USER 6"], 6, None),
}


@pytest.mark.parametrize("text,user,uid,gid", USERS.values(), ids=USERS)
def test_the_user_is_the_one_in_effect(tmp_path: Path, text: str, user: list[str], uid: int, gid: int) -> None:
    image = read(tmp_path, text)
    assert lines(image, "user") == user
    assert (image.uid.value if image.uid else None) == uid
    assert (image.gid.value if image.gid else None) == gid
    assert image.knows("user")


def test_a_variable_that_an_older_base_does_not_set_is_not_known(tmp_path: Path) -> None:
    assert not read(tmp_path, "FROM mcr.microsoft.com/dotnet/aspnet:7.0\nUSER $APP_UID\n").knows("user")


@pytest.mark.parametrize("user", ["$UID", "${UID}", "app:$GID", "${A:-$B}", '""'])
def test_a_user_that_is_not_known_is_said_to_be_so(tmp_path: Path, user: str) -> None:
    image = read(tmp_path, f"FROM a\nARG UID\nUSER {user}\n")
    assert image.user is None
    assert not image.knows("user")


BASES = {
    "plain": ("FROM golang:1 AS b\nFROM alpine:3\n", "alpine:3", False),
    "an argument": ("ARG V=3.2\nFROM alpine:${V}\n", "alpine:3.2", False),
    "an argument in an argument": ("ARG V=3\nARG I=alpine:$V\nFROM $I\n", "alpine:3", False),
    "an argument not known": ("ARG V\nFROM alpine:$V\n", None, False),
    "a stage": ("FROM alpine:3 AS base\nFROM base AS one\nFROM one\n", "alpine:3", False),
    "a stage by an argument": ("ARG S=base\nFROM alpine:3 AS base\nFROM ${S}\n", "alpine:3", False),
    "a platform": ("FROM --platform=$BUILDPLATFORM alpine:3 as x\n", "alpine:3", False),
    "scratch": ("FROM golang AS b\nFROM scratch\nCOPY --from=b /x /x\n", None, True),
    "itself": ("FROM loop AS loop\n", "loop", False),
    "a stage that comes later": ("FROM later\nFROM alpine AS later\n", "alpine", False),
}


@pytest.mark.parametrize("text,base,scratch", BASES.values(), ids=BASES)
def test_from_is_followed_to_its_base(tmp_path: Path, text: str, base: str | None, scratch: bool) -> None:
    image = read(tmp_path, text)
    assert (image.base.text if image.base else None) == base
    assert image.from_scratch == scratch
    assert image.knows("base") == (base is not None or scratch)


def test_the_settings_of_the_image(tmp_path: Path) -> None:
    image = read(
        tmp_path,
        "FROM a\n"
        "ARG PORT=8080\n"
        "EXPOSE 80/tcp 9000-9002 $PORT 53/udp\n"
        'VOLUME ["/data", "/logs"]\n'
        "VOLUME /more\n"
        "WORKDIR /srv\n"
        "WORKDIR app\n"
        "ENV DATA_DIR=/data LEVEL=info PATH=/a:/b\n"
        "ENV HOME /home/web\n"
        'ENTRYPOINT ["/app", "--x y"]\n'
        "CMD serve $PORT\n",
    )
    assert [said.value for said in image.ports] == [80, 9000, 9001, 9002, 8080, 53]
    assert lines(image, "volumes") == ["4: VOLUME /data", "4: VOLUME /logs", "5: VOLUME /more"]
    assert lines(image, "workdir") == ["7: WORKDIR /srv/app"]
    assert lines(image, "env") == ["8: ENV DATA_DIR=/data", "9: ENV HOME=/home/web"]
    assert image.entrypoint is not None and image.entrypoint.value == ("/app", "--x y")
    assert image.cmd is not None and image.cmd.value == ("/bin/sh", "-c", "serve $PORT")
    assert image.unknown == frozenset()


COMMANDS = {
    "ENTRYPOINT takes the command of its base away": ('FROM a\nENTRYPOINT ["x"]\n', ()),
    "a command above ENTRYPOINT stays": ('FROM a\nCMD ["y"]\nENTRYPOINT ["x"]\n', ("y",)),
    "a command of the stage below is taken away": ('FROM a AS b\nCMD y\nFROM b\nENTRYPOINT ["x"]\n', ()),
    "neither": ("FROM a\n", None),
    "another shell": ('FROM a\nSHELL ["/bin/bash", "-c"]\nCMD y\n', ("/bin/bash", "-c", "y")),
    "no list of words": ("FROM a\nCMD [1]\n", ("/bin/sh", "-c", "[1]")),
}


@pytest.mark.parametrize("text,cmd", COMMANDS.values(), ids=COMMANDS)
def test_the_command(tmp_path: Path, text: str, cmd: tuple[str, ...] | None) -> None:
    image = read(tmp_path, text)
    assert (image.cmd.value if image.cmd else None) == cmd


@pytest.mark.parametrize("name,text", [("ports", "EXPOSE $X"), ("ports", "EXPOSE web"), ("volumes", "VOLUME $X"),
                                       ("workdir", "WORKDIR $X"), ("filled", "COPY . $X")])  # fmt: skip
def test_what_is_not_understood_is_not_known(tmp_path: Path, name: str, text: str) -> None:
    assert not read(tmp_path, f"FROM a\n{text}\n").knows(name)


APP = "FROM a\nRUN useradd -u 1000 app\n"
GIVEN = {
    "chown": ("RUN mkdir -p /data && chown -R app:app /data /var/log/app\nUSER app\n", ["/data", "/var/log/app"]),
    "chown of the number": ("RUN chown 1000 /data\nUSER app\n", ["/data"]),
    "chown of the name, USER is a number": ("RUN chown app /data\nUSER 1000\n", ["/data"]),
    "chown of somebody else": ("RUN chown other /data\nUSER app\n", []),
    "taken away again": ("RUN chown app /data\nRUN chown root /data\nUSER app\n", []),
    "COPY --chown": ("COPY --chown=app:app . /srv\nUSER app\n", ["/srv"]),
    "COPY --chown of an argument": ("ARG U=app\nCOPY --chown=$U . /srv\nUSER app\n", ["/srv"]),
    "made by the user": ("USER app\nRUN mkdir -p /home/app/x\n", ["/home/app/x"]),
    "COPY --chown of one file": ("COPY --chown=app a.txt /srv/\nUSER app\n", ["/srv/a.txt"]),
    "COPY --chmod": ("COPY --chmod=0777 . /srv\nUSER app\n", ["/srv"]),
    "a mode that the umask cuts": ("RUN chmod +w /srv\nUSER app\n", []),
    "a here-document": ("RUN <<EOF\nchown app /data\nEOF\nUSER app\n", ["/data"]),
    "a here-document that is written": ("RUN cat <<EOF > /x\nchown app /data\nEOF\nUSER app\n", []),
    "made by root": ("RUN mkdir /data\nUSER app\n", []),
    "everybody, octal": ("RUN chmod -R 1777 /data\nUSER app\n", ["/data"]),
    "everybody, letters": (
        "RUN chmod a+w /a && chmod o+rwx /b && chmod u+w /c && chmod 755 /d\nUSER app\n",
        ["/a", "/b"],
    ),
    "no USER": ("RUN chown app /data && chmod 777 /tmp2\n", ["/tmp2"]),
    "install -d": ("RUN install -d -o app -g app -m 0755 /data /logs\nUSER app\n", ["/data", "/logs"]),
    "group of root, as OpenShift asks": ("RUN chgrp -R 0 /opt/x && chmod -R g=u /opt/x\nUSER 1001\n", ["/opt/x"]),
    "group that is not the user's": ("RUN chgrp -R 5 /opt/x && chmod -R g=u /opt/x\nUSER app\n", []),
    "braces of bash": ("RUN chown app /a/{b,c}\nUSER app\n", ["/a/b", "/a/c"]),
    "relative": ("WORKDIR /srv\nRUN chown app cache\nUSER app\n", ["/srv/cache"]),
    "behind cd": ("RUN cd /srv && chown app cache\nUSER app\n", ["/srv/cache"]),
    "of a variable": ("ENV D=/data\nRUN chown app $D\nUSER app\n", ["/data"]),
    "of a variable not known": ("RUN chown app $D\nUSER app\n", []),
    "a home": ("RUN useradd -m -u 7 -d /opt/me me\nUSER me\n", ["/opt/me"]),
    "in a text": ('RUN echo "chown app /data"\nUSER app\n', []),
    "in a comment": ("RUN true \\\n# chown app /data\n  && true\nUSER app\n", []),
}


@pytest.mark.parametrize("text,given", GIVEN.values(), ids=GIVEN)
def test_paths_that_are_given_to_the_user(tmp_path: Path, text: str, given: list[str]) -> None:
    assert [said.value for said in read(tmp_path, APP + text).given] == given


FILLED = {
    "a copy": ("COPY . /srv\n", ["/srv"]),
    "a copy to the working directory": ("WORKDIR /app\nCOPY . .\n", ["/app"]),
    "a copy to the working directory of the base": ("COPY x .\n", ["."]),
    "one file into a folder": ("COPY a.conf /etc/x/\n", ["/etc/x/a.conf"]),
    "one file by name": ("ADD a.conf /etc/x/b.conf\n", ["/etc/x/b.conf"]),
    "built": ("WORKDIR /app\nRUN npm ci && npm run build\n", ["/app"]),
    "installed elsewhere": ("WORKDIR /app\nRUN apt-get update && apt-get install -y curl\n", []),
    "made, and nothing in it": ("RUN mkdir -p /data\n", []),
    "moved": ("RUN mv /x /opt/y\n", ["/opt/y"]),
    "downloaded": ("RUN curl -fsSLo /usr/bin/x https://example.com/x && chmod +x /usr/bin/x\n", ["/usr/bin/x"]),
    "redirected": ("RUN echo 1 > /etc/x.conf\n", ["/etc/x.conf"]),
    "a here-document": ("COPY <<EOF /etc/x.conf\nUSER 1\nEOF\n", ["/etc/x.conf"]),
    "the exec form": ('COPY ["a b", "/srv/"]\n', ["/srv"]),
    "Go": ("RUN go install example.com/x@v1\n", ["/go/bin", "/root/go/bin", "."]),
    "pip, for the user": ("RUN useradd -m app\nUSER app\nRUN pip install --user x\n", ["/home/app/.local"]),
    "pip, for all": ("RUN pip install x\n", []),
    "npm, for all": ("WORKDIR /a\nUSER node\nRUN npm install -g x\n", ["/home/node/.npm-global", "/a"]),
    "gems": ("RUN gem install x\n", ["/usr/local/bundle", "/root/.gem", "/root/.local/share/gem"]),
    "what another program starts": (
        "WORKDIR /a\nRUN npx --yes playwright install\n", ["/ms-playwright", "/root/.cache/ms-playwright", "/a"]),
    "a download that is run": ("RUN curl -sSf https://example.com/x | sh -s -- -y\n", ["/root"]),
    "a home by its account": (
        "RUN useradd -m -d /opt/ray ray\nUSER ray\nRUN curl https://example.com/x | bash\n", ["/opt/ray"]),
}  # fmt: skip


@pytest.mark.parametrize("text,filled", FILLED.values(), ids=FILLED)
def test_paths_that_hold_files(tmp_path: Path, text: str, filled: list[str]) -> None:
    assert [said.value for said in read(tmp_path, f"FROM a\n{text}").filled] == filled


def test_folders_of_a_context_are_filled_by_its_copy(tmp_path: Path) -> None:
    context = {name: "" for name in ("data/seed/a.sql", "empty/.gitkeep", "logs/a.log", "node_modules/x/y.js", "a.py")}
    text = "FROM a\nCOPY . /srv/shop\nCOPY data /data/\n"
    image = read(tmp_path, text, **context, **{".dockerignore": "# no\nlogs\n**/node_modules/\n"})
    assert [said.value for said in image.filled] == ["/srv/shop", "/data", "/srv/shop/data", "/srv/shop/data/seed",
                                                     "/data/seed"]  # fmt: skip


def test_capabilities_of_files(tmp_path: Path) -> None:
    image = read(
        tmp_path,
        "FROM a AS build\nRUN setcap cap_net_raw=ep /out/x\n"
        "FROM a\nCOPY --from=build /out/x /usr/bin/x\n"
        "RUN setcap 'cap_net_bind_service=+ep' /usr/sbin/web\nRUN setcap -r /x\n",
    )
    assert lines(image, "capabilities") == [
        "2: setcap cap_net_raw=ep /usr/bin/x",
        "5: setcap cap_net_bind_service=+ep /usr/sbin/web",
    ]


SCRIPT = """#!/bin/sh
# chown is done for root only
set -e
if [ "$(id -u)" = 0 ]; then
  chown -R app /data
  exec gosu app "$0" "$@"
fi
sed -i s/a/b/ /etc/web.conf
mkdir -p /run/web
exec web
"""
SCRIPTS = {
    "by its path": 'COPY start.sh /start.sh\nENTRYPOINT ["/start.sh"]\n',
    "by a folder": 'COPY start.sh /usr/local/bin/\nENTRYPOINT ["start.sh"]\n',
    "the whole context": 'WORKDIR /srv\nCOPY . .\nCMD ["./start.sh"]\n',
    "behind an init": 'COPY . /srv\nENTRYPOINT ["/sbin/tini", "--", "/srv/start.sh"]\n',
    "by a shell": 'COPY . /srv\nCMD ["sh", "/srv/start.sh"]\n',
    "shell form": "COPY . /srv\nCMD exec /srv/start.sh\n",
    "a pattern": 'COPY *.sh /\nENTRYPOINT ["/start.sh"]\n',
    "another name": 'COPY start.sh /entry\nENTRYPOINT ["/entry"]\n',
    "through a stage": 'FROM b AS x\nCOPY . /in\nFROM a\nCOPY --from=x /in/start.sh /s/\nCMD ["/s/start.sh"]\n',
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_of_the_context_are_read(tmp_path: Path, text: str) -> None:
    image = read(tmp_path, f"FROM a\n{text}", **{"start.sh": SCRIPT})
    found = [each.partition("start.sh:")[2] for name in ("root_commands", "writes", "asks_who", "starts")
             for each in image.evidence(name)]  # fmt: skip
    assert found == [
        "5: chown",
        "6: gosu",
        "8: writes to /etc/web.conf",
        "9: writes to /run/web",
        "4: id -u",
        "10: starts web",
    ]
    assert image.script_read


def test_a_script_in_a_here_document_is_read(tmp_path: Path) -> None:
    image = read(tmp_path, 'FROM a\nCOPY <<EOF /start.sh\n#!/bin/sh\nchown x /y\nEOF\nENTRYPOINT ["/start.sh"]\n')
    assert lines(image, "root_commands") == ["4: chown"]


def test_scripts_that_start_scripts_are_read(tmp_path: Path) -> None:
    files = {"a.sh": "#!/bin/sh\nexec /b.sh\n", "b.sh": "#!/bin/sh\n/a.sh\npip install x\ntouch /run/b\n"}
    image = read(tmp_path, 'FROM a\nCOPY *.sh /\nCMD ["/a.sh"]\n', **files)
    assert [said.value for said in image.writes] == ["/run/b"]
    assert len(image.installs) == 1


def test_a_script_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    image = read(tmp_path, 'FROM a\nCOPY *.sh /\nCMD ["/a.sh"]\n', **{"a.sh": "#!/bin/sh\n. /lib/b.sh\ntouch /c\n"})
    assert [said.value for said in image.writes] == ["/c"]
    assert not image.script_read


@pytest.mark.parametrize("body", ["#!/usr/bin/python3\nimport os\n", "\x7fELF\0", "print(1)\n"])
def test_what_is_no_script_is_not_read(tmp_path: Path, body: str) -> None:
    image = read(tmp_path, 'FROM a\nCOPY . /\nCMD ["/run"]\n', run=body)
    assert not image.script_read


def test_a_script_outside_of_the_tree_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.sh").write_text("#!/bin/sh\nchown x /y\n")
    root = tmp_path / "tree"
    write(
        root,
        {"web/Dockerfile": 'FROM a\nCOPY ../../secret.sh link.sh /\nCMD ["/secret.sh"]\nENTRYPOINT ["/link.sh"]\n'},
    )
    (root / "web" / "link.sh").symlink_to(tmp_path / "secret.sh")
    image = built(root, {})
    assert image is not None
    assert not image.root_commands and not image.script_read


def test_triggers_run_in_the_image_that_is_made_from_theirs(tmp_path: Path) -> None:
    files = {
        "base/Dockerfile": "FROM alpine\nONBUILD USER 77\nVOLUME /b\n",
        "web/Dockerfile": "FROM acme/base:1\nEXPOSE 80\n",
        "Makefile": "all:\n\tdocker build -t acme/base:1 base\n\tdocker build -t web web\n",
    }
    image = built(tmp_path, files)
    assert image is not None and image.user is not None and image.base is not None
    assert (image.user.value, image.base.text) == ("77", "alpine")
    assert [Path(name).parent.name for name in image.through] == ["base"]
    assert [said.where.rpartition("base/")[2] for said in image.volumes] == ["Dockerfile:3"]


def test_images_made_from_each_other_end(tmp_path: Path) -> None:
    files = {
        "a/Dockerfile": "FROM acme/b\nUSER 1\n",
        "b/Dockerfile": "FROM acme/a\nUSER 2\n",
        "Makefile": "all:\n\tdocker build -t acme/a a\n\tdocker build -t acme/b b\n",
    }
    image = built(tmp_path, files, "acme/a")
    assert image is not None and image.user is not None and image.user.value == "1"


HOSTILE = {
    "empty": "",
    "no FROM": "USER 1\n",
    "no Dockerfile": "FROM a\nHELLO world\n",
    "a template": "{{ if x }}\nFROM a\n",
    "a template in an instruction": "FROM a\nUSER {{ user }}\n",
    "a template of autoconf": "FROM a:@VERSION@\n",
    "binary": "FROM a\n\0",
    "a thousand continuations": "FROM a\nRUN x " + "\\\n y " * 1001 + "\n",
    "stages": "FROM a AS a0\n" + "".join(f"FROM a{n} AS a{n + 1}\n" for n in range(500)),
    "large": "FROM a\n" + "#" * (1024 * 1024),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_dockerfile_is_not_known(tmp_path: Path, text: str) -> None:
    assert built(tmp_path, {"web/Dockerfile": text}) is None


ODD = {
    "brackets": "FROM a\nCMD " + "[" * 100_000 + "\n",
    "a long RUN": "FROM a\nRUN true " + "&& chown app /data " * 40_000 + "\n",
    "a long argument": "FROM a\nENV A=" + "x" * 500_000 + "\nUSER 1\n",
    "variables that grow": "FROM a\nENV A0=xxxxxxxx\n"
    + "".join(f"ENV A{n + 1}=$A{n}$A{n}$A{n}$A{n}\n" for n in range(60))
    + "USER 1\n",
    "quotes": "FROM a\nRUN " + "\"'" * 100_000 + "\n",
    "dollars": "FROM a\nRUN " + "${" * 100_000 + "\nUSER $" + "{" * 1000 + "\n",
    "here-documents": "FROM a\n" + "RUN <<A <<B\nA\nB\n" * 20_00,
    "here-documents without an end": "FROM a\n" + "RUN <<E\n" * 10_000,
    "ports": "FROM a\nEXPOSE " + "1-65535 " * 1000 + "\n",
    "instructions": "FROM a\n" + "RUN x\n" * 19_000,
    "blanks": "FROM a\nRUN " + " " * 500_000 + "x\n" + "\\\n" + " " * 200_000 + "\n",
    "numbers": "FROM a\nUSER " + "9" * 100_000 + "\n",
    "a long name": "FROM a\nENV " + "a" * 500_000 + "\nUSER 1\n",
    "variables in a line": "FROM a\nENV A=" + "x" * 16_000 + "\nENV B=" + "$A" * 300_000 + "\n",
    "spaces in passwd": "FROM a\nRUN " + ("a:x:1:1:" + " " * 390) * 600 + "/etc/passwd\n",
    "commas": "FROM a\nRUN chown a /{" + "," * 200_000 + "\n",
    "modes": "FROM a\nRUN chmod " + "o" * 200_000 + " /x\n",
    "accounts that double": "FROM a AS s0\nRUN useradd x\n"
    + "".join(f"FROM s{n} AS s{n + 1}\n" + f"COPY --from=s{n} /etc/passwd /etc/passwd\n" * 3 for n in range(90)),
    "copies of copies": "".join(
        f"FROM a AS s{n}\n" + "".join(f"COPY --from=s{n - 1} /{m} /\n" for m in range(200) if n) for n in range(9)
    )
    + 'CMD ["/x/y.sh", "/z.sh"]\n',
    "flags": "FROM a\nCOPY " + "--chown=a " * 20_000 + ". /\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_dockerfiles_have_an_end(tmp_path: Path, text: str) -> None:
    built(tmp_path, {"web/Dockerfile": text})  # has no end where the cost is that of pairs


@pytest.mark.slow
def test_ten_times_the_lines_cost_about_ten_times_as_much() -> None:
    def cost(count: int) -> int:
        text = "FROM a\n" + "RUN apt-get update \\\n  && apt-get install -y x \\\n  && rm -rf /y\n" * count
        assert instructions.read(text) is not None
        return calls(lambda: instructions.read(text))

    assert cost(5000) < 11 * cost(500)
