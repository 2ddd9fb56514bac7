#!/bin/sh
kubeadm token create --ttl 0 --print-join-command
kubeadm init --token-ttl=0s --upload-certs
kubeadm token create --ttl 30m
kubeadm join 10.0.0.1:6443 --token k9w3x1.0a1b2c3d4e5f6789 \
  --discovery-token-ca-cert-hash sha256:7c2e69131a36ae2a042a339b33381c6d0d43887e2de83720eff5359e26aec866
kubeadm join 10.0.0.1:6443 --token "$TOKEN" --control-plane --certificate-key "$KEY"
