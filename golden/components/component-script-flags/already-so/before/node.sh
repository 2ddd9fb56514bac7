#!/bin/sh
kubelet --anonymous-auth=false --read-only-port=0 --authorization-mode=Webhook
