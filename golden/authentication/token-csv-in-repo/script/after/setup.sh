#!/bin/sh
cat > /etc/kubernetes/tokens.csv <<EOF
Xy7pQ2mN8,root,1,"system:masters"
EOF
kube-apiserver --token-auth-file=/etc/kubernetes/tokens.csv
