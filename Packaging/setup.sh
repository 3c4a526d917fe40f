#!/bin/sh
# Installs what building (`build`), testing (`test`) or the figures (`bench`) need and is missing.
#
# Building cannot go on without; the others can: what a test cannot have, it skips and says so.
set -eu

say() { echo "vault: $*" >&2; }

need_swift() {
    if ! command -v swift >/dev/null 2>&1; then
        say "error: swift is not on the PATH"
        say "hint: install Swift 6.3 or later from https://www.swift.org/install/linux/"
        exit 1
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install PURPOSE PACKAGE…: true when all of them are there in the end.
install() {
    purpose=$1
    shift
    missing=
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing for $purpose:$missing"
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
        { as_root apt-get update -qq >/dev/null 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
}

# modules PURPOSE VENV MODULE…: Python modules, in an environment of their own.
modules() {
    purpose=$1 venv=$2
    shift 2
    [ "$(cat "$venv/.ready" 2>/dev/null)" != "$*" ] || return 0
    command -v python3 >/dev/null 2>&1 || return 1
    say "installing for $purpose: $*, in $venv"
    python3 -m venv "$venv" >/dev/null 2>&1 &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >/dev/null 2>&1 &&
        echo "$*" >"$venv/.ready"
}

build() {
    need_swift
    if pkg-config --exists lmdb libsodium 2>/dev/null; then return 0; fi
    if ! command -v apt-get >/dev/null 2>&1; then
        say "error: liblmdb and libsodium are missing, and this is not a system with apt"
        say "hint: install their development packages and pkg-config, for example: dnf install lmdb-devel libsodium-devel pkgconf"
        exit 1
    fi
    if ! install "building" liblmdb-dev libsodium-dev pkg-config; then
        say "error: apt could not install liblmdb-dev, libsodium-dev and pkg-config"
        say "hint: install them by hand, then run make again"
        exit 1
    fi
}

tests() {
    command -v apt-get >/dev/null 2>&1 || return 0
    # The tests build plugins as authors do.
    command -v cc >/dev/null 2>&1 || install "the tests" gcc || say "note: gcc could not be installed; tests fail without it"
    command -v c++ >/dev/null 2>&1 || install "the tests" g++ || say "note: g++ could not be installed; tests fail without it"
    # Each on its own: one that cannot be had must not take the others along.
    for package in glewlwyd openssl chromium curl prometheus python3-venv shellcheck slowhttptest strace; do
        install "the tests" "$package" || say "note: $package could not be installed; the tests that need it say that they skip"
    done
    modules "the tests" .build/e2e-venv playwright openapi-spec-validator schemathesis 'PyJWT[crypto]' h2 lmdb PyNaCl \
        django-oauth-toolkit ||
        say "note: they could not be installed; the tests that need them say that they skip"
}

# What the figures need; of what cannot be had they say that it was not measured.
bench() {
    build
    command -v apt-get >/dev/null 2>&1 || return 0
    command -v cc >/dev/null 2>&1 || install "the figures" gcc || say "note: gcc could not be installed"
    for package in wrk python3-venv; do
        install "the figures" "$package" || say "note: $package could not be installed"
    done
    modules "the figures" .build/bench/peer-venv fastapi uvicorn uvloop httptools PyJWT PyNaCl lmdb ||
        say "note: they could not be installed; there will be no Python peer to compare with"
}

case ${1:-build} in
build) build ;;
test) tests ;;
bench) bench ;;
*)
    say "error: setup knows build, test and bench, not $1"
    exit 64
    ;;
esac
