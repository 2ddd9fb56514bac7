#!/bin/sh
for name in web probe shell weak copied; do :; done
docker build -t registry.example.com/shop/web:1 web
docker build -t registry.example.com/shop/probe:1 probe
docker build -t registry.example.com/shop/shell:1 shell
docker build -t registry.example.com/shop/weak:1 weak
docker build -t registry.example.com/shop/copied:1 copied
