#!/bin/bash
set -eu   # not this: kubectl apply -f - <<EOF
kubectl apply -n "$NS" -f - <<EOF
apiVersion: v1
kind: Pod
metadata:
  name: agent
spec:
  hostPID: true
  containers:
  - name: agent
    image: ${REGISTRY}/agent:1
EOF
cat <<'EOF' >pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: a, image: "a:1"}]}
EOF
echo done
