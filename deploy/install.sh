#!/bin/sh
# Makes .venv, puts the pinned packages of a requirements file into it, and the project itself, editable.
# Usage: sh deploy/install.sh requirements.txt
set -eu
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV 2>/dev/null || true

# A Python is good when it is new enough and can make an environment with pip in it.
is_good() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if ! { [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        if is_good "$python"; then break; fi
        python=
    done
    if [ -z "$python" ]; then
        echo '需要 Python 3.11 或更高版本，并带有 venv。Python 3.11 or newer with venv is needed.' >&2
        echo '  Debian/Ubuntu: apt install python3 python3-venv    Fedora: dnf install python3' >&2
        echo '  或指定一个 or name one: make PYTHON=/path/to/python3.12 …' >&2
        exit 1
    fi
    echo "正在创建环境，首次约需一分钟。Making .venv with $("$python" --version); about a minute, once."
    rm -rf .venv
    "$python" -m venv .venv
fi

# uv installs in seconds what takes pip a minute. It does not read pip's settings, so a mirror that they name is
# handed on; it trusts whom this machine trusts, for offices stand behind proxies of their own. Where it cannot be
# had or cannot reach what pip reaches, pip does the same.
python=.venv/bin/python
$python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement deploy/installer.txt || true
mirror=${PIP_INDEX_URL:-$($python -m pip config get global.index-url 2>/dev/null || true)}
if [ -n "$mirror" ]; then export UV_DEFAULT_INDEX="$mirror"; fi
$python -m uv pip install --system-certs --python $python --require-hashes --requirement "$1" ||
    $python -m pip install --disable-pip-version-check --require-hashes --requirement "$1"
$python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
