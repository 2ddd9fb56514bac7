"""What commands show. Every table has its false friends."""

from fractions import Fraction

import pytest

from hardener.kubernetes.pods.command_evidence import (
    Heap,
    Writes,
    api_client,
    api_mentions,
    heap_bytes,
    low_ports,
    node_paths,
    raw_socket_commands,
    root_commands,
    seccomp_sensitive,
    setuid_commands,
    writes,
)
from hardener.kubernetes.pods.configured_paths import told_paths


def script(text: str) -> list[str]:
    return ["sh", "-c", text]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["chown", "-R", "1000", "/data"], ["chown"]),
        (["/bin/chown", "1000", "/data"], ["chown"]),
        (["/usr/sbin/iptables", "-t", "nat"], ["iptables"]),
        (["sysctl", "-w", "vm.max_map_count=262144"], ["sysctl -w"]),
        (["sysctl", "vm.max_map_count=262144"], ["sysctl -w"]),
        (["apk", "add", "curl"], ["apk add"]),
        (["sudo", "nginx"], ["sudo"]),
        # A hook or probe stands behind command and args.
        (["nginx", "-g", "daemon off;", "chown", "nginx", "/x"], ["chown"]),
        (["ncat", "-e", "/bin/nsenter", "--target", "1"], ["nsenter"]),
        (script("apt-get update && apt-get install -y curl"), ["apt-get"]),
        (script("apk add --no-cache curl; chmod 700 /x\nmount -t tmpfs none /y"), ["apk add", "chmod", "mount"]),
        (script("if ! yum install -y x; then dnf install x; fi"), ["yum", "dnf"]),
        (script("exec su-exec redis redis-server"), ["su-exec"]),
        (script("exec gosu postgres postgres"), ["gosu"]),
        (script('su - app -c "run"'), ["su"]),
        (script("DEBIAN_FRONTEND=noninteractive apt-get install x"), ["apt-get"]),
        (script("env A=b nice -n 5 chown a b"), ["chown"]),
        (script("timeout 5 chown a b"), ["chown"]),
        (script("find / -user x -exec chown y {} \\;"), ["chown"]),
        (script("ls | xargs -n 1 chown y"), ["chown"]),
        (script('echo "$(chown a b)"'), ["chown"]),
        (script("echo `chown a b`"), ["chown"]),
        (script("(chown a b)"), ["chown"]),
        (script("{ chown a b; }"), ["chown"]),
        (script("bash -c 'chown a b'"), ["chown"]),
        (script("chown \\\n  a b"), ["chown"]),
        (["bash", "-exc", "useradd x"], ["useradd"]),
        # Packages for all users of the image, and programs that are told to bear with root.
        (script("pip install -r a.txt && exec python a.py"), ["pip install"]),
        (["python3", "-m", "pip", "install", "a"], ["pip install"]),
        (script("npm install -g pm2; gem install rake"), ["npm install -g", "gem install"]),
        (["mpirun", "--allow-run-as-root", "-np", "2"], ["--allow-run-as-root"]),
    ],
)
def test_root_commands(words: list[str], found: list[str]) -> None:
    assert root_commands(words) == found


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nginx", "-g", "daemon off;"],
        ["nsudo", "run"],
        ["--mount=/x", "--chown=a:b"],
        ["/data/mount", "/etc/sudo.conf"],
        ["mountain", "chowning", "resume"],
        ["sysctl", "-a"],
        ["apk", "info"],
        ["server", "--motd", "sudo is not installed"],
        ["echo", "please chown this"],
        ["python", "-c", "x = 1; chown = 2"],
        ["awk", "BEGIN { mount = 1; sudo }"],
        ["su ", "root"][1:],
        script("echo please use sudo; echo 'then chown it'"),
        script("# apt-get install\necho ok # chown"),
        script("cat > /tmp/x <<EOF\nchown a b\nsudo x\nEOF\necho done"),
        script("cat <<-'END' > /tmp/x\n\tmount a b\n\tEND\ntrue"),
        script("echo a;echo 'b; sudo x'"),
        script("ls /mount; cat chown.txt; grep sudo /etc/group"),
        script("run --mount type=bind"),
        script("mountpoint -q /data"),
        script("helm install x; kubectl apply -f mount.yaml"),
        script("MOUNT=chown; echo $MOUNT"),
        script("pip install --user a; pip install --target=/x a; pip list"),
        script("npm install; npm ci; yarn add a"),
    ],
)
def test_no_root_commands(words: list[str]) -> None:
    assert root_commands(words) == []


def test_quotes_are_command_words_only() -> None:
    words = script("chown user /data --password=hunter2 && sysctl -w kernel.secret=hunter2")
    assert root_commands(words) == ["chown", "sysctl -w"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["sudo", "x"], ["sudo"]),
        (["crond", "-f"], ["crond"]),
        (["ping", "-c1", "db"], ["ping"]),
        (script("until ping -c1 db; do sleep 1; done"), ["ping"]),
        (script("su - app -c run; /usr/sbin/postfix start"), ["su", "postfix"]),
        # False friends.
        (["redis-cli", "ping"], []),
        (script("redis-cli -h $HOST ping | grep PONG"), []),
        (["nsudo"], []),
        (["valkey-cli", "-p", "6379", "ping"], []),
        (["--ping=1", "pinger", "crond.conf"], []),
        (script("echo Pinging frontend"), []),
        (script("mysqladmin ping -h localhost"), []),
    ],
)
def test_setuid_commands(words: list[str], found: list[str]) -> None:
    assert setuid_commands(words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["tcpdump", "-i", "any"], ["tcpdump"]),
        (script("arping x; traceroute y; nmap z"), ["arping", "traceroute", "nmap"]),
        (["redis-cli", "ping"], []),
        (["nmapper"], []),
    ],
)
def test_raw_socket_commands(words: list[str], found: list[str]) -> None:
    assert raw_socket_commands(words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["strace", "-f", "x"], ["strace"]),
        (["chromium", "--headless"], ["chromium"]),
        (script("perf record -a & unshare -r id"), ["perf", "unshare"]),
        (["/kaniko/executor", "--dockerfile=x"], ["/kaniko/executor"]),
        (["--perf", "performance", "x-strace"], []),
        (["server", "perf"], []),
    ],
)
def test_seccomp_sensitive(words: list[str], found: list[str]) -> None:
    assert seccomp_sensitive(words) == found


@pytest.mark.parametrize(
    ("words", "env", "ports"),
    [
        (["--port=80"], {}, [80]),
        (["--port", "80"], {}, [80]),
        (["--http-port=80", "--https-port=443"], {}, [80, 443]),
        (["--bind", "0.0.0.0:80"], {}, [80]),
        (["--listen=:443"], {}, [443]),
        (["--listen-address=[::]:443"], {}, [443]),
        (["--web.listen-address=:80"], {}, [80]),
        (["--listen=tcp://0.0.0.0:80"], {}, [80]),
        (script("exec server --port 80 --x"), {}, [80]),
        ([], {"PORT": "80"}, [80]),
        ([], {"HTTP_LISTEN": ":80", "LISTEN_ADDR": "0.0.0.0:443"}, [80, 443]),
        # False friends.
        (["--port=8080"], {"PORT": "8080"}, []),
        (["--port=30080"], {"PORT": "30080"}, []),
        (["--report=80", "--export", "80", "--import=80"], {}, []),
        (["--bind=127.0.0.1", "--listen=::1", "--bind-address=10.0.0.80"], {}, []),
        (["--port", "--verbose"], {}, []),
        (["--port=${PORT}", "--port="], {"PORT": "$(X)"}, []),
        (["--db-port=80", "--upstream=db:80"], {"REPORT": "80", "DB_PORT": "80", "SUPPORT": "80"}, []),
        (["--port=0"], {"PORT": ""}, []),
    ],
)
def test_low_ports(words: list[str], env: dict[str, str], ports: list[int]) -> None:
    assert low_ports(words, env) == ports


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (script("date > /mnt/index.html; hostname >> /mnt/index.html"), ("/mnt/index.html",)),
        (script("echo x >/a 2>/b"), ("/a", "/b")),
        (script("run &> /var/log/run.log"), ("/var/log/run.log",)),
        (script("echo x | tee -a /etc/x /etc/y"), ("/etc/x", "/etc/y")),
        (script("sed -i 's/a/b/' /etc/nginx/nginx.conf"), ("/etc/nginx/nginx.conf",)),
        (script("sed -i -e 's/a/b/' -e 's/c/d/' /x"), ("/x",)),
        (script("sed -ri.bak 's/a/b/' /x"), ("/x",)),
        (["cp", "-r", "/from", "/to"], ("/to",)),
        (["/bin/cp", "-n", "/usr/local/bin/argocd", "/shared/argocd"], ("/shared/argocd",)),
        (["cp", "-t", "/to", "/from"], ("/to",)),
        (script("mv /a /b && ln -sf /c /d"), ("/b", "/d")),
        (script("mkdir -p -m 700 /a /b; touch -r /c /d"), ("/a", "/b", "/d")),
        (script("install -d -m 755 /a /b"), ("/a", "/b")),
        (script("install -m 755 /a /b"), ("/b",)),
        (script("wget -qO /work/index.html http://x"), ("/work/index.html",)),
        (script("curl -sSL -o /x http://y; dd if=/a of=/b"), ("/x", "/b")),
        (script("tar -xzf /a.tgz -C /opt; unzip -q a.zip -d /srv"), ("/opt", "/srv")),
        (script("git clone --depth 1 https://x/y /src"), ("/src",)),
        (script("cd /home && git clone https://x/y demo && cd demo/z && touch ../a"), ("/home/demo", "/home/demo/a")),
        (script("cat <<EOF > /etc/x\n> /not/this\nEOF\n"), ("/etc/x",)),
        (script('echo "a" > "/with blank/x"'), ("/with blank/x",)),
        (script("mkdir -p /data/$NAME/x /data/{a,b} /c*"), ("/data",)),
        (script("bash -c 'echo x > /y'"), ("/y",)),
        (script("touch /a/../b//c/"), ("/b/c",)),
        (["nginx", "touch", "/ready"], ("/ready",)),
        # Nothing is written, or nobody knows where.
        (script("run > /dev/null 2>&1"), ()),
        (script("run > /dev/stdout 2> /dev/stderr; echo x > /proc/1/fd/1; echo x > /sys/y"), ()),
        (script("cat < /etc/passwd"), ()),
        (script('echo "a > /b"; echo \'> /c\'; # > /d'), ()),
        (script("[ 3 -gt 2 ] && echo $((1 > 0))"), ()),
        (script("touch $FILE; echo x > \"$FILE\"; mkdir x; cd $X; touch y; cd /a; cd -; touch z"), ()),
        (script("tar -czf - /x | cat; git status; curl http://x/-o"), ()),
        (["echo", "a > /b"], ()),
        (["cp", "/only"], ()),
        (["--output=/x", "mkdirs", "/y"], ()),
        (["sed", "s/a/b/", "/x"], ()),
        ([], ()),
        (script("pip install --target /deps a; python3 -m pip install -t /more b"), ("/deps", "/more")),
    ],
)  # fmt: skip
def test_writes(words: list[str], paths: tuple[str, ...]) -> None:
    assert writes(words) == Writes(paths)


@pytest.mark.parametrize(
    ("words", "unplaced"),
    [
        (script("apt-get update && apt-get install -y curl"), True),
        (script("apk add --no-cache x"), True),
        (script("pip install -r requirements.txt"), True),
        (script("python -m pip install x"), True),
        (script("npm ci && node app.js"), True),
        (["npm", "install"], True),
        (script("apk info; apt-get --version; pip list; npm start"), False),
        (script("helm install x"), False),
        (script("echo npm install"), False),
        (script("pip install --prefix=/deps a"), False),
        (script("python3 -m pip install a"), True),
    ],
)
def test_package_managers_write_everywhere(words: list[str], unplaced: bool) -> None:
    assert writes(words).unplaced is unplaced


@pytest.mark.parametrize(
    ("words", "env", "found"),
    [
        (["kubectl", "get", "pods"], {}, ["kubectl"]),
        (script("until /usr/local/bin/kubectl get x; do sleep 1; done"), {}, ["kubectl"]),
        (["helm", "upgrade"], {}, ["helm"]),
        (["--leader-elect"], {}, ["--leader-elect"]),
        (["--leader-elect=true", "--enable-leader-election"], {}, ["--leader-elect", "--enable-leader-election"]),
        (["--in-cluster"], {}, ["--in-cluster"]),
        (["--kubeconfig="], {}, ["--kubeconfig="]),
        (["--master=https://kubernetes.default.svc:443"], {}, ["kubernetes.default"]),
        ([], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, ["KUBERNETES_SERVICE_HOST"]),
        ([], {"CA": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"},
         ["/var/run/secrets/kubernetes.io/serviceaccount"]),
        ([], {"JAVA_OPTS": "-Djgroups.protocol=kubernetes.KUBE_PING"}, ["KUBE_PING"]),
        ([], {"SPRING_CLOUD_KUBERNETES_DISCOVERY_ENABLED": "true"}, ["spring.cloud.kubernetes"]),
        # False friends.
        (["--leader-elect=false", "--in-cluster=false", "--leader-elect", "false"], {}, []),
        (["--kubeconfig=/etc/kubeconfig"], {}, []),
        (["kubectl-proxy-docs", "helmet"], {}, []),
        (["--url=http://my-kubernetes.defaults/x", "--kubernetes-default"], {}, []),
        (script("echo use kubectl to look"), {}, []),
        ([], {"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}, []),
        ([], {"KUBERNETES_NAMESPACE": "x"}, []),
    ],
)  # fmt: skip
def test_api_client(words: list[str], env: dict[str, str], found: list[str]) -> None:
    assert api_client(words, env) == found


def test_api_mentions_in_a_config_file() -> None:
    assert api_mentions("scrape_configs:\n- kubernetes_sd_configs:\n  - role: pod\n") == ["kubernetes_sd_configs"]
    assert api_mentions("server { listen 80; }") == []
    assert api_mentions(None) == []


MI = 2**20


@pytest.mark.parametrize(
    ("words", "env", "kind", "size"),
    [
        (["java", "-Xmx1g", "-jar", "x"], {}, "xmx", 1024 * MI),
        (["java", "-XX:MaxRAM=512m"], {}, "xmx", 512 * MI),
        ([], {"JAVA_OPTS": "-Xms1g -Xmx2048M"}, "xmx", 2048 * MI),
        ([], {"JAVA_TOOL_OPTIONS": "-Xmx1048576"}, "xmx", MI),
        (["java", "-XX:MaxRAM=1g"], {}, "xmx", 1024 * MI),
        (["java", "-XX:MaxHeapSize=64m"], {}, "xmx", 64 * MI),
        (script('java $X -Xmx256m "-Xmx512m"'), {}, "xmx", 512 * MI),
        (["node", "--max-old-space-size=4096"], {}, "max-old-space", 4096 * MI),
        (["node", "--max-old-space-size", "4096"], {}, "max-old-space", 4096 * MI),
        ([], {"NODE_OPTIONS": "--max_old_space_size=100"}, "max-old-space", 100 * MI),
        (["node", "--max_old-space_size", "100"], {}, "max-old-space", 100 * MI),
        ([], {"GOMEMLIMIT": "750MiB"}, "gomemlimit", 750 * MI),
        ([], {"GOMEMLIMIT": "1000"}, "gomemlimit", 1000),
        (script("GOMEMLIMIT=1GiB exec app"), {}, "gomemlimit", 1024 * MI),
    ],
)
def test_heap(words: list[str], env: dict[str, str], kind: str, size: int) -> None:
    found = heap_bytes(words, env)
    assert found is not None
    assert (found.kind, found.bytes) == (kind, Fraction(size))


@pytest.mark.parametrize(
    ("words", "env"),
    [
        ([], {}),
        (["java", "-Xmx${HEAP}", "-XX:MaxRAMPercentage=75.0"], {}),
        (["--Xmx1g", "x-Xmx1g", "-Xmxlarge", "-Xmx0"], {}),
        ([], {"GOMEMLIMIT": "off"}),
        ([], {"GOMEMLIMIT": "90%"}),
        ([], {"MY_GOMEMLIMIT": "1GiB"}),
    ],
)
def test_no_heap(words: list[str], env: dict[str, str]) -> None:
    assert heap_bytes(words, env) is None


def test_the_largest_heap_counts() -> None:
    assert heap_bytes(["-Xmx1g"], {"OTHER": "-Xmx2g"}) == Heap("xmx", Fraction(2**31))


HOSTILE: list[list[object]] = [
    [None, 1, ["a"], {"b": "c"}],
    ["sh", "-c", "'" * 1001 + '"' * 1001 + "`$(" * 500],
    ["sh", "-c", "$((" * 2000],
    ["sh", "-c", "<<A\n" * 2000],
    ["sh", "-c", '"$(' * 2000],
    ["sh", "-c", "sh -c '" * 500],
    ["sh", "-c", "\\"],
    ["sh", "-c", "x" * 300_000],
    ["sh", "-c", "a 'b' " * 50_000],
    ["sh", "-c", "exec " * 50_000],
    ["sh", "-c", "find -exec " * 50_000],
    ["sh", "-c", "echo x >> /a; " * 20_000],
    ["sh", "-c", "cd x; touch y; " * 20_000],
    ["-"] * 10_000,
    ["sudo"] * 5_000,
    ["\0", "\n", "\ue000", "> ", ">", ">>", "2>", "<<", "<<E"],
    ["--port" * 10_000, "--a" + "-data" * 20_000 + "-dir=/x", "1" * 100_000],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_neither_fail_nor_hang(words: list[str]) -> None:
    env = {"A": "x" * 100_000, "PORT": "1" * 100_000, "TMPDIR": "/" * 100_000}
    for ask in (root_commands, setuid_commands, raw_socket_commands, seccomp_sensitive, writes):
        ask(words)
    for ask_env in (low_ports, told_paths, api_client, heap_bytes):
        ask_env(words, env)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("--rootfs=/host/root/proc", ["/host/root"]),
        ("nsenter --mount=/host/proc/$(pidof kubelet)/ns/mnt", ["/host/proc"]),
        ("unix:///csi/csi.sock", ["/csi"]),
        ("/host/root", ["/host/root"]),
        ("/dev/dri:/dev/dri", ["/dev/dri"]),
        ("cat </dev/sda1", ["/dev/sda1"]),
        ("/proc/1/ns/net", ["/proc/1"]),
        # What every container has, and what only looks like it.
        ("run >/dev/null 2>/dev/stderr", []),
        ("/proc/self/fd/1 /proc/cpuinfo /dev/shm/x", []),
        ("/host/rooted /hosts", []),
        ("https://dev/sda http://example.com/dev/sda", []),
        ("$ROOT/dev/sda a/dev/sda ../dev/sda", []),
        ("/dev /proc", []),
    ],
)
def test_node_paths(text: str, found: list[str]) -> None:
    assert node_paths([text], ["/host/root", "/host/proc/", "/csi", "/", ""]) == found
