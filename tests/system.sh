#!/bin/sh
# Programs the tests use that are not Python packages. Installs what is missing where it may (root on
# Debian); elsewhere it says what to install, and the tests that need a missing one say so and skip.
set -eu
missing=""
command -v chromium > /dev/null || missing="$missing chromium"
command -v hledger > /dev/null || missing="$missing hledger"
command -v pdftoppm > /dev/null || missing="$missing poppler-utils"
test -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc || missing="$missing fonts-wqy-microhei"
ls /usr/share/fonts/opentype/noto/NotoSansCJK* > /dev/null 2>&1 || missing="$missing fonts-noto-cjk"
test -x /usr/lib/postgresql/15/bin/initdb || command -v initdb > /dev/null || missing="$missing postgresql-15"
test -z "$missing" && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Installing$missing …"
    apt-get update -qq > /dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
else
    echo "Please install:$missing" >&2
fi
