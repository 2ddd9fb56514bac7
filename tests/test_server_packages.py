"""Packages of a distribution that bring a server, and what an image has that starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.facts.images.dockerfiles.server_packages import packages, server_of
from hardener.facts.images.ledger import ImageLedger
from tests.test_known_images import deployment, known

INSTALLS: dict[str, tuple[str, list[str]]] = {
    "apt-get": ("apt-get install -y --no-install-recommends nginx curl", ["nginx", "curl"]),
    "a version": ("apt-get install nginx=1.18.* redis/stable", ["nginx", "redis"]),
    "a value of an option": ("apt-get install -t bookworm apache2", ["apache2"]),
    "options before": ("apt-get -y -o Dpkg::Use-Pty=0 install lighttpd", ["lighttpd"]),
    "apk": ("apk add --no-cache --virtual .build nginx~=1.26", ["nginx"]),
    "dnf": ("dnf -y install httpd", ["httpd"]),
    "no install": ("apt-get update", []),
    "a file": ("apt-get install ./x.deb", []),
    "another program": ("pip install nginx", []),
}


@pytest.mark.parametrize("command,found", INSTALLS.values(), ids=INSTALLS)
def test_packages_that_a_command_installs(command: str, found: list[str]) -> None:
    program, *arguments = command.split()
    assert packages(program, arguments) == found


WITH = "nginx nginx-light php8.2-fpm php-fpm default-mysql-server mariadb-server postgresql postgresql-15 cron"
WITHOUT = "nginx-common php8.2-cli default-mysql-client postgresql-client-15 redis-tools openssh-client apache2-utils"


@pytest.mark.parametrize("name", WITH.split())
def test_packages_with_a_server(name: str) -> None:
    assert server_of(name) is not None


@pytest.mark.parametrize("name", WITHOUT.split())
def test_packages_without_a_server(name: str) -> None:
    assert server_of(name) is None


NGINX = "FROM debian\nRUN apt-get update && apt-get install -y nginx\n"
# A Dockerfile, scripts beside it, the number, whether it is known to start as root, and the ports.
STARTS: dict[str, tuple[str, dict[str, str], int | None, bool, tuple[int, ...]]] = {
    "the server": (f'{NGINX}CMD ["nginx", "-g", "daemon off;"]\n', {}, 33, True, (80,)),
    "by a script": (f'{NGINX}COPY run.sh /\nCMD ["/run.sh"]\n', {"run.sh": "#!/bin/sh\nexec nginx\n"}, 33, True, (80,)),
    "by a supervisor": (f'{NGINX}CMD ["supervisord", "-n"]\n', {}, 33, True, (80,)),
    "by an unread script": (f'{NGINX}CMD ["/opt/start.sh"]\n', {}, 33, True, (80,)),
    "by its service": (f"{NGINX}CMD service nginx start && tail -f /dev/null\n", {}, 33, True, (80,)),
    "another program": (f'{NGINX}CMD ["python3", "app.py"]\n', {}, None, False, ()),
    "another program by a script": (
        f'{NGINX}COPY run.sh /\nCMD ["/run.sh"]\n', {"run.sh": "#!/bin/sh\nexec app\n"}, None, False, ()),
    "as its user": (f'{NGINX}USER www-data\nCMD ["nginx"]\n', {}, 33, False, ()),
    "another port": (f'{NGINX}EXPOSE 8080\nCMD ["nginx"]\n', {}, 33, True, (80, 8080)),
    "a database of Alpine": ('FROM alpine\nRUN apk add postgresql15\nCMD ["postgres"]\n', {}, 70, True, (5432,)),
    "a number that is made": (
        'FROM debian\nRUN apt-get install -y redis-server\nCMD ["redis-server"]\n', {}, None, True, (6379,)),
    "of another stage": (f'{NGINX}FROM debian\nCMD ["nginx"]\n', {}, None, False, ()),
}  # fmt: skip


@pytest.mark.parametrize("text,scripts,uid,root,ports", STARTS.values(), ids=STARTS)
def test_what_a_server_of_a_package_needs(
    tmp_path: Path, text: str, scripts: dict[str, str], uid: int | None, root: bool, ports: tuple[int, ...]
) -> None:
    found = _known(tmp_path, text, scripts)
    assert found.uid == uid
    assert any("begins as root" in (fact.text or "") for fact in found.root_commands) == root
    assert (found.ports.value if found.ports is not None else ()) == ports
    assert ("/var/log/nginx" in [path.value for path in found.writable]) == (root and "nginx" in text)


def test_files_that_a_package_leaves_are_hidden_by_no_volume(tmp_path: Path) -> None:
    found = _known(tmp_path, 'FROM debian\nRUN apt-get install -y mariadb-server\nCMD ["mysqld_safe"]\n', {})
    assert [path.value for path in found.filled] == ["/var/lib/mysql"]


def _known(folder: Path, text: str, scripts: dict[str, str]) -> ImageLedger:
    files = {"web/Dockerfile": text, "compose.yaml": "services: {web: {build: web, image: acme/web}}\n"}
    beside = {f"web/{name}": body for name, body in scripts.items()}
    return known(folder, {**files, **beside, "app.yaml": deployment("web", {"image": "acme/web"})})
