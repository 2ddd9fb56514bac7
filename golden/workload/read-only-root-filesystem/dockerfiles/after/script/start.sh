#!/bin/sh
set -e
mkdir -p /var/cache/shop/pages
date > /tmp/started
exec /usr/bin/shop "$@"
