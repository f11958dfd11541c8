#!/usr/bin/env bash
# Proves `make demo` and `make test` in a bare Debian 12 root: what a developer's machine hides is missing there.
#   infra/setup/fresh.sh [TARGET …]      default: demo test
# Needs root and mmdebstrap. The root gets git, make and python3, a clone of HEAD, and this machine's way to the
# package registries (apt's, pip's, npm's and Go's settings, certificates), nothing else. FRESH_ROOT keeps it for a look.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "fresh: needs root" >&2; exit 2; }
command -v mmdebstrap >/dev/null || { echo "fresh: needs mmdebstrap: apt-get install mmdebstrap" >&2; exit 2; }
root=${FRESH_ROOT:-$(mktemp -d /var/tmp/offhook-fresh.XXXXXX)}
if [ -z "${FRESH_ROOT:-}" ]; then trap 'rm -rf --one-file-system "$root"' EXIT; fi

echo "fresh: making a bare Debian 12 in $root"
mmdebstrap --quiet --variant=minbase --include=git,make,python3 bookworm "$root"
git clone --quiet "$here" "$root/offhook"
for path in /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates /etc/pip.conf /etc/npmrc /etc/resolv.conf /etc/apt/apt.conf.d; do
  if [ -e "$path" ]; then mkdir -p "$root$(dirname "$path")" && cp -rL "$path" "$root$(dirname "$path")/"; fi
done

echo "127.0.0.1 localhost" >"$root/etc/hosts"  # as every installed Debian has it

for target in "${@:-demo test}"; do
  for one in $target; do
    echo "fresh: make $one"
    started=$SECONDS
    # A namespace of its own: the mounts go with it, and so does every process.
    unshare --mount --pid --fork --kill-child bash -c '
      mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmp "$1/tmp" || exit 2
      exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        '"$(env | grep -E '^(PIP_|npm_config_|NPM_CONFIG_|GO(PROXY|SUMDB|FLAGS|NOSUMDB)|[A-Za-z]*_?(proxy|PROXY)=|SSL_CERT|REQUESTS_CA)' \
            | grep -v '^PIP_FIND_LINKS' | sed "s/'/'\\\\''/g; s/^/'/; s/\$/'/" | tr '\n' ' ')"' \
        make -C /offhook "$2"' fresh "$root" "$one"
    echo "fresh: make $one succeeded in $((SECONDS - started)) s"
  done
done
