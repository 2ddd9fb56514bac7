#!/bin/sh
kubectl apply -f web.yaml
kubectl run probe --rm -it --image=busybox --restart=Never -- wget -qO- http://web
kubectl run probe --image=busybox --overrides='{"spec": {"serviceAccountName": "probe"}}'
kubectl debug web-0 --image=busybox --target=web
kubectl debug node/worker-1 --image=busybox --profile=restricted
# kubectl run x --privileged --image=alpine
echo "kubectl run x --privileged --image=alpine"
