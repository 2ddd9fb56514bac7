#!/bin/sh
sed -i "s/@port@/$PORT/" /etc/shop.conf
exec /usr/bin/shop
