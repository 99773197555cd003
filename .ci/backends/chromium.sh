#!/usr/bin/env bash
# A real browser, without a window.
# usage: chromium.sh install
. "$(dirname "$0")/lib.sh"

install() {
  if [ -n "$(browser)" ]; then return; fi
  say "installing Chromium"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

"$@"
