#!/bin/sh
envsubst < /etc/nginx/templates/site.template > /etc/nginx/conf.d/site.conf
exec openresty -g "daemon off;"
