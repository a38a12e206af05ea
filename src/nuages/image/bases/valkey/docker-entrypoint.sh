#!/bin/sh
# Starts Valkey as its user; arguments and a configuration file are passed on, as in the official image.
set -eu

# `image --appendonly yes` and `image /etc/valkey.conf` mean valkey-server.
case ${1:-} in -* | *.conf) set -- valkey-server "$@" ;; esac
if [ "${1:-}" != valkey-server ]; then exec "$@"; fi

# The official build has protected mode off by default (else no other pod could connect); Debian's has it on.
# A configuration that says something about it is left alone.
if ! grep -qs '^[[:space:]]*protected-mode' "${2:-}"; then
    case " $* " in *' --protected-mode '*) ;; *) set -- "$@" --protected-mode no ;; esac
fi

umask 077
if [ "$(id -u)" = 0 ]; then
    find . \! -user valkey -exec chown valkey {} +
    exec setpriv --reuid=valkey --regid=valkey --init-groups --inh-caps=-all "$@"
fi
exec "$@"
