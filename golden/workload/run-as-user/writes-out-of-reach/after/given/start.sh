#!/bin/sh
date > /srv/pages/started
exec sleep 3600
