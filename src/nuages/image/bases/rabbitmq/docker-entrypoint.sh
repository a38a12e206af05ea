#!/bin/sh
# Starts RabbitMQ as its user. The cookie that its tools share with it is made at the first start, in the data folder.
set -eu

case ${1:-} in -*) set -- rabbitmq-server "$@" ;; esac
case ${1:-} in
    rabbitmq*)
        if [ "$(id -u)" = 0 ]; then
            chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
            exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups --inh-caps=-all "$@"
        fi ;;
esac
exec "$@"
