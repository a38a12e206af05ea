#!/bin/sh
# `image -m 64` means `memcached -m 64`.
set -eu
case ${1:-} in -*) set -- memcached "$@" ;; esac
exec "$@"
