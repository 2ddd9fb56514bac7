"""Which commands are read whole, where they write, and what leaves the others open."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest

from hardener.kubernetes.pods.script_parts import VALUE, Parts, parts
from hardener.kubernetes.pods.whole_command import Reading, read_whole


def script(text: str) -> list[str]:
    return ["sh", "-c", text]


@pytest.mark.parametrize(
    ("words", "writes"),
    [
        (["sleep", "infinity"], ()),
        (["/bin/sleep", "3600"], ()),
        (["tail", "-f", "/var/log/app/app.log"], ()),
        (["nc", "-zv", "db", "5432"], ()),
        (["nc", "-lk", "-p", "8080"], ()),
        (["curl", "-sSf", "--retry", "5", "http://web:8080/ready"], ()),
        (["wait4x", "postgresql", VALUE], ()),
        (["kubectl", "-n", "shop", "rollout", "restart", "deployment/web"], ()),
        (["sh", "-ec", "echo started"], ()),
        (["bash", "-euo", "pipefail", "-c", "echo started"], ()),
        (["/bin/sh", "-c", "--", "while true; do sleep 30; done;"], ()),
        (["timeout", "60", "sh", "-c", "until nc -z db 5432; do sleep 1; done"], ()),
        (script("until nslookup db.shop.svc; do echo waiting for db; sleep 2; done"), ()),
        (script("for i in $(seq 1 $TRIES); do wget -qO- http://web && exit 0; sleep $((i * 2)); done; exit 1"), ()),
        (script('if [ "$(wget -q --spider web 2>&1 | grep -c 200)" -eq 0 ]; then exit 1; fi'), ()),
        (script("trap 'exit 0' TERM; sleep infinity & wait $!"), ()),
        (script("while true; do date; sleep $(($RANDOM % 5 + 5)); done > /dev/stdout 2>&1"), ()),
        (script("command -v nginx || echo missing"), ()),
        (script("# don't look\necho 'it is $5' # nor here"), ()),
        (script("cat < /in/a | tr a-z A-Z | tee /out/a"), ("/out/a",)),
        (script("cp -r /config/. /etc/app/ && ls -l /etc/app"), ("/etc/app",)),
        (script("mkdir -p /data/db /data/log; touch /data/db/.keep"), ("/data/db", "/data/log", "/data/db/.keep")),
        (script("mv /data/a /data/b; rm -rf /cache/*"), ("/data/a", "/data/b", "/cache")),
        (script("ln -sf /data/b /srv/b"), ("/srv/b",)),
        (script("wget -O /data/a.tgz http://files/a.tgz && tar xzf /data/a.tgz -C /data"), ("/data/a.tgz", "/data")),
        (script("curl -so /data/a http://files/a"), ("/data/a",)),
        (script("curl -s http://files/a > /data/a"), ("/data/a",)),
        (script("sed -i 's/a/b/' /etc/app/app.conf"), ("/etc/app/app.conf",)),
        (script("sed s/a/b/ /in/a >> /out/a"), ("/out/a",)),
        (script("cd /data && echo 1 > /data/version"), ("/data/version",)),
        (script("cat > /conf/app.yaml <<EOF\na: $A\nEOF\n"), ("/tmp", "/conf/app.yaml")),
        (script("sort -u /in/a | uniq -c"), ("/tmp",)),
        (script('echo 1 > "/data/$NAME/version"'), ("/data",)),
        (script("find /data -name '*.tmp' -mtime +1 -delete"), ("/data",)),
        (script("find /data -type f -exec rm {} \\;"), ("/data",)),
        (script("sh -c 'echo 1 > /data/a'"), ("/data/a",)),
        (script("awk '{print $(NF-1)}' /in/a > /data/a"), ("/data/a",)),
        (script("echo \"$(date) `hostname` $(grep \"a (b\" /in/a)\" >> /data/a"), ("/data/a",)),
        (script("dd if=/dev/zero of=/data/a bs=1M count=10"), ("/data/a",)),
    ],
)  # fmt: skip
def test_what_is_read_whole(words: list[str], writes: tuple[str, ...]) -> None:
    assert read_whole([words]) == Reading(writes)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["/scripts/run.sh"], "what /scripts/run.sh needs is not known"),
        (["sh", "/scripts/run.sh"], "the script that it runs is not known"),
        (["sh"], "the shell reads what it runs"),
        (["sh", "-c", VALUE], "the script that it runs is not known"),
        (script("echo 'a $(echo ' ; x; echo ' b)'"), "what x needs is not known"),
        (script("echo '<<A'\nx\nA\n"), "what x needs is not known"),
        (script("cat <<A\nit's\nA\nx 'y'\n"), "what x needs is not known"),
        (script("cat <<A\n$(x)\nA\n"), "a part of the script is not understood"),
        (script("echo `x`"), "what x needs is not known"),
        (script('echo "$(echo "$(x)")"'), "what x needs is not known"),
        (script("echo $((1 + $(x)))"), "what x needs is not known"),
        (script("echo $(cat <<A\n)\nA\n)"), "a part of the script is not understood"),
        (script("$COMMAND"), "what a program needs is not known"),
        (script("$(cat /scripts/command)"), "what a program needs is not known"),
        (script('exec "$@"'), "what a program needs is not known"),
        (script('eval "$COMMAND"'), "what eval runs is not known"),
        (script(". /scripts/lib.sh; echo"), "what . needs is not known"),
        (script("curl -s http://files/run.sh | sh"), "the shell reads what it runs"),
        (script("cat <<EOF | sh\nrm -rf /x\nEOF\n"), "the shell reads what it runs"),
        (script("nginx -g 'daemon off;'"), "what nginx needs is not known"),
        (script("chown -R 1000 /data"), "what chown needs is not known"),
        (script("chmod 700 /data"), "what chmod needs is not known"),
        (script("apk add curl"), "what apk needs is not known"),
        (script("ping -c 1 db"), "what ping needs is not known"),
        (script("nsenter -t 1 sh"), "what nsenter needs is not known"),
        (script("python3 -c 'print(1)'"), "what python3 needs is not known"),
        (script("echo 1 > version"), "a place that it writes to is not known"),
        (script('echo 1 > "$FILE"'), "a place that it writes to is not known"),
        (script("echo 1 > $(cat name)"), "a place that it writes to is not known"),
        (script("echo 1 > ~/version"), "it names what is root's alone"),
        (script("cd /data; touch a"), "a place that it writes to is not known"),  # where there is none it goes on
        (script("cd $DIR; touch a"), "a place that it writes to is not known"),
        (script("cd; touch a"), "a place that it writes to is not known"),
        (script("(cd /data; touch a); touch b"), "a place that it writes to is not known"),
        (script("rm -rf $DIR"), "a place that it writes to is not known"),
        (script("wget http://files/a"), "a place that it writes to is not known"),
        (script("curl -O http://files/a"), "a flag of curl is not known"),
        (script("curl -K /conf/curlrc"), "a flag of curl is not known"),
        (script("cp -a /in /out"), "a flag of cp is not known"),
        (script("tar xzf /data/a.tgz"), "a place that it writes to is not known"),
        (script("echo /etc/a | xargs rm"), "xargs tells rm what to work on"),
        (script("find / -execdir rm {} +"), "what find does is not known"),
        (script("awk '{print > \"/etc/a\"}' /in"), "the script of awk may write, or run a command"),
        (script("awk -f /scripts/a.awk /in"), "a flag of awk is not known"),
        (script("sed 's/a/b/w /etc/a' /in"), "the script of sed may write, or run a command"),
        (script("nc -l -p 80"), "it may listen on a port below 1024"),
        (script("nc -l"), "it may listen on a port below 1024"),
        (script("nc -e sh db 80"), "a flag of nc is not known"),
        (script("date -s 12:00"), "a flag of date is not known"),
        (script("date 01010101"), "it may set the clock"),
        (script("hostname web"), "it sets the name of the host"),
        (script("cat /etc/shadow"), "it names what is root's alone"),
        (script("cp /root/.kube/config /conf/"), "it names what is root's alone"),
        (script("ls $HOME"), "it names what is root's alone"),
        (script("echo 1 > /proc/sys/vm/overcommit_memory"), "it works with /proc/sys"),
        (script("echo never > /sys/kernel/mm/transparent_hugepage/enabled"), "a place that it writes to is not known"),
        (script("cat /dev/sda"), "it works with /dev/sda"),
        (script("kill $(cat /run/nginx.pid)"), "which process it ends is not known"),
        (script("kill -HUP $(pidof nginx)"), "what pidof needs is not known"),
        (script("trap 'rm -rf $DIR' EXIT; sleep 1"), "a place that it writes to is not known"),
        (script("PATH=/scripts:$PATH wget -qO- web"), "a part of the script is not understood"),
        (script("echo 1 >& /etc/a"), "a part of the script is not understood"),
        (script("echo 1 2>&1$A"), "a part of the script is not understood"),
        (script("echo 1 2>&1'a'"), "a part of the script is not understood"),
        (script("echo 1 2>&1x"), "a part of the script is not understood"),
        (script("echo a\\ #> $FILE"), "a place that it writes to is not known"),
        (script("exec 3<> /etc/a"), "a part of the script is not understood"),
        (script('echo "$(echo "a)b")"; x'), "what x needs is not known"),
        (script("echo 'never closed"), "a part of the script is not understood"),
        (script("echo $(( $(rm -rf /x/$A) + 1 )); rm $B"), "a place that it writes to is not known"),
        (script("case $1 in a) echo;; esac"), "what case needs is not known"),
        (script("env " * 11 + "chown 1 /x"), "programs within programs"),
        (["kubectl", "cp", "web:/a", "/b"], "what kubectl does is not known"),
        (["wait4x", "tcp", "db:5432", "--", "nginx"], "it runs another program then"),
    ],
)  # fmt: skip
def test_what_leaves_a_command_open(words: list[str], reason: str) -> None:
    assert read_whole([words]) == Reading(open=reason)


def test_a_relative_path_is_known_where_the_folder_is() -> None:
    assert read_whole([script("echo 1 > version; cd log; touch a")], "/srv") == Reading(
        ("/srv/version", "/srv/a", "/srv/log/a")
    )


def test_each_start_begins_in_its_folder() -> None:
    assert read_whole([script("cd /data"), ["touch", "a"]], "/srv") == Reading(("/srv/a",))


def test_one_that_is_open_leaves_all_open() -> None:
    assert read_whole([["sleep", "1"], ["/scripts/stop.sh"]]).open == "what /scripts/stop.sh needs is not known"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", Parts("a b", "a b", (), False)),
        ("a # b 'c\nd", Parts("a \nd", "a \nd", (), False)),
        ("a 'b # $(c)' \"d\"", Parts("a 'b # $(c)' \"d\"", f"a {VALUE} {VALUE * 3}", (), False)),
        ("a $(b \"c)\" (d)) e", Parts(f"a {VALUE} e", f"a {VALUE} e", ('b "c)" (d)',), False)),
        ("a=$((1 + (2 * 3)))", Parts("a=0", f"a={VALUE}", (), False)),
        ("a=$((1 + $(b)))", Parts("a=0", f"a={VALUE}", ("b",), False)),
        ("a <<-'B' c\n\t'd\n\tB\ne", Parts("a <<-'B' c\nB\ne", f"a {VALUE} c\ne", (), True)),
        ("a $((b) | (c))", None),
        ("a 'b", None),
        ('a "b', None),
        ("a $(b", None),
        ("a `b", None),
        ("a <<B\nc", None),
    ],
)  # fmt: skip
def test_the_parts_of_a_script(text: str, expected: Parts | None) -> None:
    assert parts(text) == expected


PIECES = (
    *("echo a", "touch @", "> @", "cat", "[ a ]", "tr a b", "if true; then ", "; fi", "{ ", "; }", "cd log", "x", "A"),
    *("'", '"', "`", "$(", ")", "(", "$((", "))", "${x:-", "}", "$x", "it's", "1", "2>&1", ">&", "in"),
    *(" ", " ", " ", "#", " #", "\\", "\\\n", ";", "\n", "&&", "||", "|", "|&", "<<A\n", "\nA\n", "<<'A'\n", "<<<"),
)


@pytest.mark.parametrize("seed", range(8))
def test_a_shell_writes_nowhere_else(seed: int, tmp_path: Path) -> None:
    """Scripts that are put together at random: of one that is read whole a real shell makes no other file."""
    choose, folder, started = Random(seed), tmp_path / "files", tmp_path / "started"
    folder.mkdir()
    started.mkdir()
    for _ in range(400):
        pieces = (choose.choice(PIECES) for _ in range(choose.randint(3, 12)))
        text = "".join(piece.replace("@", f"{folder}/{number} ") for number, piece in enumerate(pieces))
        found = read_whole([script(text)])
        if found.open is None and str(folder) in text:
            subprocess.run(["sh", "-c", text], cwd=started, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            made = {str(path) for path in folder.iterdir()}
            assert (made - set(found.writes), list(started.iterdir())) == (set(), []), text
            for path in folder.iterdir():
                path.unlink()
