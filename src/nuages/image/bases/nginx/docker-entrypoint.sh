#!/bin/sh
# Runs what lies in /docker-entrypoint.d (*.sh in its own process, *.envsh sourced) before nginx, then the command.
set -eu

say() { if [ -z "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ]; then echo "entrypoint: $*" >&2; fi; }

case ${1:-} in
    nginx | nginx-debug)
        for file in /docker-entrypoint.d/*; do
            if [ ! -x "$file" ]; then continue; fi
            case $file in
                *.envsh) say "sourcing $file"; . "$file" ;;
                *.sh) say "running $file"; "$file" ;;
            esac
        done ;;
esac
exec "$@"
