#!/bin/sh
# Inside the new namespaces: puts a root together and becomes systemd. Called by run.sh only.

set -eu
here="$1" project="$2" venv="$3" work="$4"
root=/run/companion-try/root
python="$("$venv/bin/python" -c 'import sys; print(sys.base_prefix)')"

mount --make-rprivate /
mkdir -p /run/companion-try
mount -t tmpfs tmpfs /run/companion-try
mkdir -p /run/companion-try/upper /run/companion-try/work "$root"
mount -t overlay overlay -o lowerdir=/,upperdir=/run/companion-try/upper,workdir=/run/companion-try/work "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    for one in cpu cpuacct cpuset memory devices freezer blkio pids systemd unified; do
        mkdir "$root/sys/fs/cgroup/$one"
        case "$one" in
            systemd) mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/$one" ;;
            unified) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/$one" ;;
            *) mount -t cgroup -o "$one" cgroup "$root/sys/fs/cgroup/$one" || true ;;
        esac
    done
fi

# The product in its place. Its interpreter may stand in a home folder, which the sandbox hides.
mkdir -p "$root/opt/companion/.venv/bin" "$root/opt/companion/.venv/lib" "$root/opt/python" "$root/opt/try"
for part in companion firmware_bridge configs systemd; do
    cp -r "$project/$part" "$root/opt/companion/"
done
mount --bind "$python" "$root/opt/python"
mount --bind "$venv/lib" "$root/opt/companion/.venv/lib"
ln -s /opt/python/bin/python3.11 "$root/opt/companion/.venv/bin/python"
printf 'home = /opt/python/bin\nversion = 3.11\n' >"$root/opt/companion/.venv/pyvenv.cfg"
cat >"$root/opt/companion/.venv/bin/companion" <<'PROGRAM'
#!/opt/companion/.venv/bin/python
from companion.__main__ import main

main()
PROGRAM
chmod 755 "$root/opt/companion/.venv/bin/companion"
mkdir -p "$root/etc/companion"
cp "$here/environment" "$root/etc/companion/companion.env"

# The sound card and the trials.
cp "$here"/* "$root/opt/try/"
cp "$here/sound.service" "$here/trials.service" "$root/etc/systemd/system/"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../trials.service "$root/etc/systemd/system/multi-user.target.wants/trials.service"
rm -f "$root/etc/machine-id" "$root/etc/systemd/system/companion.service"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
mkdir -p "$root/results" "$root/old"
mount --bind "$work" "$root/results"

cd "$root"
# Not chroot: the kernel gives no user namespaces (PrivateUsers=) to processes in one.
pivot_root . old
umount -l /old
# As at a real boot; else credentials would not reach the service.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system \
    --log-target=journal-or-kmsg --show-status=0 systemd.unit=multi-user.target </dev/null
