# Debian chroots for make-deb and its check, all in the folder $roots. Making one takes root and debootstrap. $MIRROR
# may name a mirror of Debian.
#
# Copyright 2026 the qutil authors
# Licensed under the GNU Lesser General Public License, version 2.1 or later.

need_debootstrap()
{
    [ "$(id -u)" -eq 0 ] || die "chroots take root; as root or with sudo: make deb"
    command -v debootstrap >/dev/null && return
    command -v apt-get >/dev/null || die "debootstrap is missing, and there is no apt-get here to bring it"
    say "installing debootstrap ..."
    { apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends debootstrap; } \
        >"$roots/log" 2>&1 || { cat "$roots/log" >&2; die "debootstrap could not be installed"; }
}

# quietly COMMAND...: shows what it says only when it fails. A mirror may be in the middle of a sync, so that a second
# try is worth its time.
quietly()
{
    "$@" >"$roots/log" 2>&1 || { sleep 60; "$@" >"$roots/log" 2>&1; } || { cat "$roots/log" >&2; return 1; }
}

in_root()
{
    where=$roots/$1
    shift
    chroot "$where" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+"http_proxy=$http_proxy"} "$@"
}

# as_user ROOT COMMAND: a shell's, in /build, as somebody who owns that and nothing else
as_user() { in_root "$1" setpriv --reuid nobody --regid nogroup --clear-groups env HOME=/build sh -c "cd /build && $2"; }

install_in() { where=$1; shift; quietly in_root "$where" apt-get -q install -y --no-install-recommends "$@"; }

debootstrap_anew()
{
    rm -rf --one-file-system "${roots:?}/$1"
    debootstrap --variant=minbase --arch="$2" "$1" "$roots/$1" ${MIRROR:+"$MIRROR"} &&
        tar -C "$roots/$1" --numeric-owner -cf "$roots/$1-$2.tar" . && rm -rf --one-file-system "${roots:?}/$1"
}

# make_root NAME SUITE ARCH
make_root()
{
    [ -e "/usr/share/debootstrap/scripts/$2" ] || die "debootstrap knows no release of Debian named $2"
    say "making a chroot of Debian $2, $3 ..."
    [ -e "$roots/$2-$3.tar" ] || quietly debootstrap_anew "$2" "$3" ||
        die "debootstrap could not make it; what it said stands above"
    mkdir "$roots/$1"
    tar -C "$roots/$1" --numeric-owner -xf "$roots/$2-$3.tar"
    for dir in proc dev; do mount --bind "/$dir" "$roots/$1/$dir" || die "mounting /$dir in it failed"; done
    in_root "$1" install -d -o nobody /build
    quietly in_root "$1" apt-get -q update
}

remove_roots()
{
    for dir in "$roots"/*/proc "$roots"/*/dev; do
        if mountpoint -q "$dir"; then umount -l "$dir"; fi
    done
    rm -rf --one-file-system "$roots"
}
