#!/usr/bin/env bash
# The Python action server, in the versions that matter; the tests start it.
# usage: rasa-sdk.sh install
. "$(dirname "$0")/lib.sh"

install() {
  for version in $sdk_versions; do
    local dir=$cache/rasa-sdk-$version
    if [ -f "$dir/complete" ]; then continue; fi
    say "installing rasa-sdk $version"
    rm -rf "$dir"
    if ! python3 -m venv "$dir" 2>/dev/null; then
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
      python3 -m venv "$dir"
    fi
    # Its OpenTelemetry needs pkg_resources, which newer setuptools and newer
    # Pythons come without.
    "$dir/bin/pip" install -q --disable-pip-version-check "rasa-sdk==$version" "setuptools<81"
    touch "$dir/complete"
  done
}

"$@"
