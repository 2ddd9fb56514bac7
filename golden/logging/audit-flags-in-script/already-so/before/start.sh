#!/bin/sh
# --audit-log-path="" was a mistake
exec kube-apiserver \
  --audit-policy-file=/etc/kubernetes/audit/policy.yaml \
  --audit-log-path /var/log/kubernetes/audit/audit.log \
  --etcd-servers="$ETCD"
