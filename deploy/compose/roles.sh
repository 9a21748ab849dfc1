#!/bin/sh
# The two roles that serve, made once with the database; `haiyiban migrate` gives them their rights (docs/audit.md).
set -eu
api=$(cat /run/secrets/api_password)
worker=$(cat /run/secrets/worker_password)
psql --quiet --set ON_ERROR_STOP=1 --set api="$api" --set worker="$worker" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE haiyiban_api LOGIN PASSWORD :'api';
CREATE ROLE haiyiban_worker LOGIN PASSWORD :'worker';
GRANT pg_monitor TO haiyiban_api, haiyiban_worker;
SQL
