#!/bin/sh
# Installs the peers that the conformance suite runs Leveret against, on Debian and Ubuntu:
# RabbitMQ as the reference broker, openssl for certificates, strace to count system calls, and the
# Python clients pika, Celery and oslo.messaging.
#
#   npm run setup:interop
#
# Does nothing when all is there. RabbitMQ's own service is not started: the suite runs nodes of
# its own.
set -eu

packages='openssl strace rabbitmq-server python3-pika python3-celery python3-oslo.messaging'

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup-interop: this needs Debian's package tools; install by hand: $packages" >&2
  exit 1
fi

missing=''
for package in $packages; do
  is_installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo 'setup-interop: all is there'
  exit 0
fi

as_root=''
if [ "$(id -u)" -ne 0 ]; then as_root='sudo'; fi

# A package's scripts ask policy-rc.d before they start a service: 101 says no. One that is there
# already stays as it is if it says no too, and otherwise comes back afterwards.
policy=/usr/sbin/policy-rc.d
kept="$policy.before-setup-interop"

restore_policy() {
  $as_root rm -f "$policy"
  if [ -e "$kept" ]; then $as_root mv "$kept" "$policy"; fi
}

# If an earlier run was killed, what is kept is the original and what lies there is ours.
if [ -e "$policy" ] && [ ! -e "$kept" ]; then $as_root mv "$policy" "$kept"; fi
trap restore_policy EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
$as_root chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
install() {
  # shellcheck disable=SC2086 # a list of names, meant to be split
  $as_root apt-get install --yes --quiet --no-install-recommends $missing
}
# The lists may be fresh enough; fetching them takes longer than the packages.
install || { $as_root apt-get update --quiet && install; }

for package in $packages; do
  is_installed "$package" || { echo "setup-interop: $package did not get installed" >&2; exit 1; }
done
echo 'setup-interop: done'
