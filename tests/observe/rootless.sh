#!/bin/bash
# Runs "$@" as nobody, with user ids of its own, a home and the folder of this Python, in a namespace of mounts of its own:
#   unshare -m bash rootless.sh FOLDER PYTHON COMMAND...
# Nothing outside of FOLDER is changed.
set -eu
folder=$1 python=$2
shift 2
mount --make-rprivate /
for name in subuid subgid; do
    echo "nobody:100000:65536" >"$folder/$name"
    mount --bind "$folder/$name" "/etc/$name"
done
mknod -m 666 "$folder/tun" c 10 200
mount --bind "$folder/tun" /dev/net/tun
# A Python below a home that nobody may enter.
top=/$(cut -d/ -f2 <<<"$python")
# setpriv itself may still enter it.
if ! setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '"$0" -c "" 2>/dev/null' "$python"; then
    mkdir -p "$folder/top$(dirname "$(dirname "${python#"$top"}")")"
    mount --bind "$(dirname "$(dirname "$python")")" "$folder/top$(dirname "$(dirname "${python#"$top"}")")"
    mount --rbind "$folder/top" "$top"
fi
mkdir -p "$folder/home/run"
chmod 700 "$folder/home/run"
chown -R 65534:65534 "$folder/home"
export HOME=$folder/home XDG_RUNTIME_DIR=$folder/home/run PYTHONDONTWRITEBYTECODE=1
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
