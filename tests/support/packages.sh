# SPDX-License-Identifier: MIT
# Sourced by tests/run.sh and examples/run.sh: installs the Debian packages that are missing, and only those.
need_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not Debian: these are expected to be here: $*"
        return 0
    fi
    local package missing=() as_root=()
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
            *" installed") ;;
            *) missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "Missing: ${missing[*]}. Run this as root, or install sudo or these packages." >&2
            return 1
        }
        as_root=(sudo)
    fi
    echo "Installing: ${missing[*]}"
    # --no-remove: where a package cannot be had without removing another, nothing is done, and apt-get says so.
    # A source of the system that cannot be reached is no reason to stop while the others answer.
    "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=900 -qq update || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=900 -o Dpkg::Use-Pty=0 \
        -qq install -y --no-remove --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}
