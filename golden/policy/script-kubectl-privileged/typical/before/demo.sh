#!/bin/sh
# a debug session on a node
kubectl debug node/worker-1 -it --image=busybox
kubectl debug web-0 --profile=sysadmin --image=busybox
kubectl -n demo run a --image=alpine --privileged
kubectl run b --image=alpine --overrides "{\"spec\": {\"hostNetwork\": true, \"volumes\": [{\"name\": \"h\", \"hostPath\": {\"path\": \"/\"}}]}}"
kubectl run c --image=alpine --overrides='{"spec": {"hostPID": true, "nodeName": "'$NODE'"}}'
kubectl run d --image=alpine --overrides="$(cat pod.json)"
