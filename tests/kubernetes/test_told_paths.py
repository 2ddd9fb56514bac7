"""Folders that variables and flags name, and where an empty volume may stand."""

import pytest

from hardener.kubernetes.pods.configured_paths import Told, may_be_mounted, told_paths


def script(text: str) -> list[str]:
    return ["sh", "-c", text]


@pytest.mark.parametrize(
    ("words", "env", "written"),
    [
        ([], {"TMPDIR": "/scratch", "PGDATA": "/var/lib/postgresql/data/pgdata"},
         ["/scratch", "/var/lib/postgresql/data/pgdata"]),
        ([], {"UPLOAD_DIR": "/up", "DATA_PATH": "/d", "OUTPUT_DIR": "/out", "STASH_CACHE": "/cache", "CACHEDIR": "/c"},
         ["/up", "/d", "/out", "/cache", "/c"]),
        ([], {"MPLCONFIGDIR": "/cache/matplotlib", "npm_config_cache": "/n", "APP_STORAGE_LOCATION": "/s"},
         ["/cache/matplotlib", "/n", "/s"]),
        ([], {"HF_HOME": "/models", "VLLM_CACHE_ROOT": "/v"}, ["/models", "/v"]),
        (["--data-dir=/data", "--log-dir", "/logs", "--cache.path=/c", "--storage.tsdb.path=/prometheus"], {},
         ["/data", "/logs", "/c", "/prometheus"]),
        (["--cert-dir=/serving-cert", "--dbpath", "/db"], {}, ["/serving-cert", "/db"]),
        (["java", "-Djava.io.tmpdir=/t", "-jar", "x"], {"JAVA_OPTS": "-Xmx1g -Djava.io.tmpdir=/u -Dx=y"}, ["/t", "/u"]),
        (script("exec etcd --data-dir=/var/lib/etcd --name x"), {}, ["/var/lib/etcd"]),
        # A file is made in its folder.
        ([], {"LOGGING_FILE_NAME": "/l/a.log", "APP_LOG_FILE": "/m/b.log", "FB_DATABASE": "/config/app.db"},
         ["/l", "/m", "/config"]),
        (["java", "-XX:HeapDumpPath=/dumps", "-Xloggc:/logs/gc.log"], {}, ["/dumps", "/logs"]),
        (["--log-file=/logs/app", "--pid-file", "/pids/app.pid", "-logfile", "/l/x"], {}, ["/logs", "/pids", "/l"]),
        ([], {"LOG_FILE": "/logs/app", "LOGGING_FILE_NAME": "/l/app", "PIDFILE": "/p/app"}, ["/logs", "/l", "/p"]),
        (["--log-file=/app.log", "--log-file=/dev/stderr", "--log-file-max-size=/x"], {"LOG_FILE": "stdout"}, []),
        # Only one program means a folder by it.
        (["redis-server", "--dir", "/r"], {}, ["/r"]),
        (["server", "--dir", "/r"], {}, []),
        # Without a working directory a relative path says nothing.
        (["--data-dir=data"], {}, []),
        # False friends.
        ([], {"HOMEPAGE": "/x", "TEMPLATE": "/y", "TMPDIR": "tmp", "PGDATA": "$(X)/y"}, []),
        (["--database=/x", "--catalog-dir2=/y", "--path=/z", "--data-dir=$X"], {}, []),
        ([], {"CONFIG_FILE": "/etc/a.yaml", "LOG_LEVEL": "/x", "TLS_CERT_PATH": "/certs", "PLUGINS_DIR": "/p"}, []),
        (["--config.file=/etc/x", "--tls-cert-dir=/certs"], {}, []),
        # A certificate is made only where none is given.
        (["--cert-dir=/certs", "--tls-cert-file=/tls/tls.crt"], {}, []),
        ([], {"A_DATA_DIR": "/", "B_LOG_DIR": "/dev/stdout"}, []),
    ],
)  # fmt: skip
def test_folders_that_are_written(words: list[str], env: dict[str, str], written: list[str]) -> None:
    assert told_paths(words, env) == [Told(path, "written") for path in written]


@pytest.mark.parametrize(
    ("env", "homes"),
    [
        ({"HOME": "/home/app", "XDG_CACHE_HOME": "/xdg", "HELM_DATA_HOME": "/helm"}, ["/home/app", "/xdg", "/helm"]),
        ({"GNUPGHOME": "/keys"}, ["/keys"]),
        ({"JAVA_HOME": "/usr/lib/jvm", "HOME": "/", "ORACLE_HOME": "/opt/oracle"}, []),
    ],
)
def test_homes(env: dict[str, str], homes: list[str]) -> None:
    assert told_paths([], env) == [Told(path, "home") for path in homes]


def test_a_relative_path_starts_in_the_working_directory() -> None:
    assert told_paths(["--data-dir=./data", "--log-dir=logs"], {}, workdir="/srv/app") == [
        Told("/srv/app/data", "written"),
        Told("/srv/app/logs", "written"),
    ]


def test_the_image_names_the_program_where_the_command_does_not() -> None:
    assert told_paths(["--root=/git"], {}, program="git-sync") == [Told("/git", "written")]
    assert told_paths(["--root=/git"], {}, program="other") == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/tmp", True),
        ("/tmp/x", True),
        ("/var/tmp", True),
        ("/var/cache/nginx", True),
        ("/data", True),
        ("/output/x", True),
        ("/run", True),
        ("/var/run", True),  # the same directory
        ("/run/nginx", True),
        ("/srv/own/x", True),  # known to be empty
        ("/srv/other", False),
        ("/var/cache", False),
        ("/tmpx", True),
        ("/etc/nginx", False),
        ("/usr/share", False),
        ("/app", False),
        ("/app/data", False),
        ("/models", False),
        ("/opt/data", False),
        ("/home/app", False),
        ("/var/log/nginx", False),
        ("/var/lib/app", False),
        ("/", False),
        ("data", False),
        ("", False),
    ],
)
def test_where_an_empty_volume_hides_nothing(path: str, allowed: bool) -> None:
    assert may_be_mounted(path, ["/srv/own", "/"]) is allowed


@pytest.mark.parametrize(
    ("path", "workdir", "allowed"),
    [
        ("/server", "/server", False),  # what it starts stands there
        ("/server", "/server/bin", False),
        ("/server/data", "/server", True),
        ("/data", "/server", True),
        ("/tmp", "/tmp/x", True),
        ("/srv/own", "/srv/own", True),
    ],
)
def test_no_empty_volume_hides_where_it_starts(path: str, workdir: str, allowed: bool) -> None:
    assert may_be_mounted(path, ["/srv/own"], workdir) is allowed
