#!/bin/bash
# Starts Postgres; an empty PGDATA is initialised first, by the documented contract of the official image:
#   POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, each also as NAME_FILE (a file with the value),
#   POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD, PGDATA, /docker-entrypoint-initdb.d/*.{sh,sql,sql.gz}
# Initialising happens in $PGDATA/.new and is moved into place at its end: killed at any moment, it starts anew,
# and a half-made database is never served.
set -Eeuo pipefail

say() { echo "entrypoint: $*" >&2; }
fail() { say "$*"; exit 1; }

# NAME, or the content of the file that NAME_FILE names, or the default $2.
value() {
    local name=$1 file=$1_FILE
    if [[ -n ${!name:-} && -n ${!file:-} ]]; then fail "both $name and $file are set"; fi
    if [[ -n ${!file:-} ]]; then cat -- "${!file}"; else printf '%s' "${!name:-${2:-}}"; fi
}

# Postgres asks for the name of its user; a uid that only Kubernetes knows has none.
name_the_user() {
    getent passwd "$(id -u)" > /dev/null && return
    local library
    library=$(echo /usr/lib/*/libnss_wrapper.so)
    NSS_WRAPPER_PASSWD=$(mktemp) NSS_WRAPPER_GROUP=$(mktemp)
    export LD_PRELOAD=$library NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" > "$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" > "$NSS_WRAPPER_GROUP"
}

sql() { psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --quiet --username "$POSTGRES_USER" "$@"; }

run_init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh)
                say "running $file"
                # As documented: an executable is run, any other script is sourced.
                if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
            *.sql) say "running $file"; sql --dbname "$POSTGRES_DB" -f "$file" ;;
            *.sql.gz) say "running $file"; gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
        esac
    done
}

initialise() {
    local final=$PGDATA waldir=() method=${POSTGRES_HOST_AUTH_METHOD:-}
    POSTGRES_PASSWORD=$(value POSTGRES_PASSWORD)
    POSTGRES_USER=$(value POSTGRES_USER postgres)
    POSTGRES_DB=$(value POSTGRES_DB "$POSTGRES_USER")
    POSTGRES_INITDB_ARGS=$(value POSTGRES_INITDB_ARGS)
    export POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB PGPASSWORD=$POSTGRES_PASSWORD
    if [[ -z $POSTGRES_PASSWORD && $method != trust ]]; then
        fail "the database is empty and POSTGRES_PASSWORD is not set (POSTGRES_HOST_AUTH_METHOD=trust would let everyone in)"
    fi
    if [[ -n $(find "$final" -mindepth 1 -maxdepth 1 ! -name .new ! -name lost+found -print -quit) ]]; then
        fail "$final holds files but no database (no PG_VERSION); nothing was touched"
    fi
    if [[ -n ${POSTGRES_INITDB_WALDIR:-} ]]; then
        # What an interrupted start left there is removed; files of anybody else initdb refuses.
        if [[ -d $final/.new ]]; then find "$POSTGRES_INITDB_WALDIR" -mindepth 1 -delete; fi
        waldir=(--waldir "$POSTGRES_INITDB_WALDIR")
    fi

    export PGDATA=$final/.new
    rm -rf "$PGDATA"
    # Nothing is flushed to disk until everything is there: it is flushed once, at the end.
    # The password goes by a pipe: an argument could be read by everyone. The official image splits these arguments too.
    eval 'initdb --no-sync --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${waldir[@]}" '"$POSTGRES_INITDB_ARGS"
    printf '\nhost all all all %s\n' "${method:-$(postgres -C password_encryption)}" >> "$PGDATA/pg_hba.conf"

    # Only the socket listens until everything is there: who waits for the port waits for a finished database.
    pg_ctl -w start -o "-c listen_addresses='' -c fsync=off"
    if [[ $POSTGRES_DB != postgres ]]; then
        echo 'CREATE DATABASE :"name";' | sql --dbname postgres --set name="$POSTGRES_DB"
    fi
    run_init_files
    pg_ctl -w -m fast stop
    unset PGPASSWORD

    initdb --sync-only
    touch "$PGDATA/.finished"
    export PGDATA=$final
    move_into_place
    say "initialised"
}

# PG_VERSION last: where it is, everything is. Interrupted, the next start goes on here.
move_into_place() {
    local file
    for file in "$PGDATA"/.new/*; do
        if [[ ${file##*/} != PG_VERSION ]]; then mv "$file" "$PGDATA/"; fi
    done
    sync "$PGDATA"
    mv "$PGDATA/.new/PG_VERSION" "$PGDATA/"
    rm -rf "$PGDATA/.new"
}

if [[ ${1:-} == -* ]]; then set -- postgres "$@"; fi
if [[ ${1:-} != postgres ]]; then exec "$@"; fi
case " $* " in *' --help '* | *' -? '* | *' --version '* | *' -V '* | *' --describe-config '*) exec "$@" ;; esac

mkdir -p "$PGDATA"
if [[ $(id -u) == 0 ]]; then
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"}
    exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all "$BASH_SOURCE" "$@"
fi
name_the_user
# A volume's own folder may belong to another user; then PGDATA should be a folder in it, and initdb says so.
chmod 700 "$PGDATA" 2> /dev/null || true

if [[ ! -s $PGDATA/PG_VERSION ]]; then
    if [[ -e $PGDATA/.new/.finished ]]; then move_into_place; else initialise; fi
fi
exec "$@"
