#!/bin/sh
# Fills environment variables into /etc/nginx/templates/*.template and puts the results into /etc/nginx/conf.d.
set -eu

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
if [ ! -d "$templates" ]; then exit 0; fi

# Only variables that exist are filled in, so that nginx's own ($host, $uri) stay.
variables=$(env | cut -d= -f1 | grep -E "^[A-Za-z_][A-Za-z0-9_]*$" | grep -E "${NGINX_ENVSUBST_FILTER:-}" | sed 's/.*/${&}/')
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    relative=${template#"$templates/"}
    target=$output/${relative%"$suffix"}
    if [ ! -w "$output" ]; then echo "entrypoint: $output is not writable, $relative is left out" >&2; exit 0; fi
    mkdir -p "$(dirname "$target")"
    envsubst "$variables" < "$template" > "$target"
done
