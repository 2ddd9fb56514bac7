"""Files that the settings of a program name to write to, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardener.facts.images.dockerfiles.settings_files import written_files
from tests.conftest import Harden, write
from tests.test_known_images import deployment

DJANGO = (
    'DATABASES = {\n    "default": {\n        "ENGINE": "django.db.backends.sqlite3",\n        "NAME": %s,\n    }\n}\n'
)
LOGGING = 'LOGGING = {"handlers": {"file": {"class": "logging.%s", "filename": %s, "level": "INFO"}}}\n'
RAILS = "default: &default\n  adapter: sqlite3\n%s:\n  <<: *default\n  database: storage/shop.sqlite3\n"
# A text of settings, and the files with their lines.
SETTINGS: dict[str, tuple[str, list[tuple[str, int]]]] = {
    "a handler": ('logging.FileHandler("app.log")\n', [("app.log", 1)]),
    "a handler by keyword": ('h = RotatingFileHandler(filename="logs/app.log", maxBytes=1)\n', [("logs/app.log", 1)]),
    "a handler of a name": ('LOG = "/var/log/shop.log"\nh = WatchedFileHandler(LOG)\n', [("/var/log/shop.log", 2)]),
    "a handler of an unknown name": ("h = logging.FileHandler(path)\n", []),
    "basicConfig": ('logging.basicConfig(level=1, filename="run.log")\n', [("run.log", 1)]),
    "to the terminal": ("logging.basicConfig(level=1)\nlogging.StreamHandler()\n", []),
    "a mapping": (LOGGING % ("FileHandler", 'BASE_DIR + "/debug.log"'), [("debug.log", 1)]),
    "a mapping, with a path": (
        LOGGING % ("handlers.RotatingFileHandler", 'BASE_DIR / "logs" / "a.log"'), [("logs/a.log", 1)]),
    "a mapping over lines": (
        '"file": {\n  "class": "logging.handlers.TimedRotatingFileHandler",\n'
        '  "filename": os.path.join(BASE_DIR, "x.log"),\n}\n', [("x.log", 3)]),
    "a formatted text": ('logging.FileHandler(f"{BASE_DIR}/x.log")\n', [("x.log", 1)]),
    "to a device": ('logging.FileHandler("/dev/stdout")\n', []),
    "a comment": ('# logging.FileHandler("app.log")\n', []),
    "by the environment": ('logging.FileHandler(os.environ.get("LOG", "app.log"))\n', []),
    "Django": (DJANGO % 'BASE_DIR / "db.sqlite3"', [("db.sqlite3", 4)]),
    "Django, joined": (DJANGO % 'os.path.join(BASE_DIR, "data", "db.sqlite3")', [("data/db.sqlite3", 4)]),
    "Django, another database": (DJANGO.replace("sqlite3", "postgresql") % '"shop"', []),
    "Django, by the environment": (DJANGO % 'env("DB", default="x.sqlite3")', []),
    "a URL": ('SQLALCHEMY_DATABASE_URI = "sqlite:///shop.db"\n', [("shop.db", 1)]),
    "a URL, absolute": ("DATABASE_URL=sqlite+aiosqlite:////data/shop.db\n", [("/data/shop.db", 1)]),
    "a URL by the environment": ('os.environ.get("DATABASE_URL", "sqlite:///x.db")\n', []),
    "in memory": ('sqlite3.connect(":memory:")\n', []),
    "a connection": ('db = sqlite3.connect("stock.db")\n', [("stock.db", 1)]),
    "Rails": (RAILS % "production", [("storage/shop.sqlite3", 5)]),
    "Rails, of development": (RAILS % "development", []),
    "Spring": ("logging.file.name=logs/shop.log\n", [("logs/shop.log", 1)]),
}  # fmt: skip


@pytest.mark.parametrize("text,files", SETTINGS.values(), ids=SETTINGS)
def test_files_that_settings_name(text: str, files: list[tuple[str, int]]) -> None:
    assert list(written_files(text)) == files


TREE = {
    "shop/Dockerfile": 'FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD ["python", "serve.py"]\n',
    "compose.yaml": "services: {shop: {build: shop, image: acme/shop}}\n",
}
LOG = 'logging.FileHandler("logs/shop.log")\n'
# Where the settings stand, what the container has, what is held.
HELD: dict[str, tuple[str, dict[str, Any], dict[str, Any], set[str]]] = {
    "in the context": ("shop/settings.py", {}, {}, {"run-as-user", "read-only-root-filesystem"}),
    "beside the context": ("other/settings.py", {}, {}, set()),
    "of tests": ("shop/tests/settings.py", {}, {}, set()),
    "of development": ("shop/settings_dev.py", {}, {}, set()),
    "in a volume": (
        "shop/settings.py",
        {"volumeMounts": [{"name": "logs", "mountPath": "/srv/logs"}]},
        {"volumes": [{"name": "logs", "emptyDir": {}}]},
        set(),
    ),
}


@pytest.mark.parametrize("place,fields,spec,held", HELD.values(), ids=HELD)
def test_a_file_that_settings_name_is_a_write(
    harden: Harden, tmp_path: Path, place: str, fields: dict[str, Any], spec: dict[str, Any], held: set[str]
) -> None:
    manifest = deployment("shop", {"image": "acme/shop", **fields}, **spec)
    write(tmp_path, {**TREE, place: LOG, "app.yaml": manifest})
    only = ("--only", "run-as-user", "--only", "read-only-root-filesystem")
    found = json.loads(harden("diff", ".", "--format", "json", *only, cwd=tmp_path).out)
    assert {each["id"] for each in found["held"] if each["grade"] == "breaking"} == held
    if held:
        first = "shop/settings.py:1: it writes to /srv/logs/shop.log, where"
        assert all(each["evidence"][0]["text"].startswith(first) for each in found["held"])
