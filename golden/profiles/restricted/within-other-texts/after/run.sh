#!/bin/bash
set -eu   # not this: kubectl apply -f - <<EOF
kubectl apply -n "$NS" -f - <<EOF
apiVersion: v1
kind: Pod
metadata:
  name: agent
spec:
  automountServiceAccountToken: false
  securityContext:
    seccompProfile:
      type: RuntimeDefault
  containers:
  - name: agent
    image: ${REGISTRY}/agent:1
    resources:
      requests:
        cpu: 25m
        memory: 128Mi
      limits:
        cpu: "1"
        memory: 2Gi
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop:
        - NET_RAW
EOF
cat <<'EOF' >pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: a, image: "a:1"}]}
EOF
echo done
