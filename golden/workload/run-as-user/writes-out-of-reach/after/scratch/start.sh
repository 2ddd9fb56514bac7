#!/bin/sh
date > /tmp/started
date > /var/cache/scratch/started
exec sleep 3600
