#!/bin/sh
kubectl version
kubeadm join 10.0.0.1:6443 --token "$TOKEN" \
  --discovery-token-unsafe-skip-ca-verification
