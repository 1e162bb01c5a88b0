#!/bin/bash
# The trials, run by systemd inside the namespaces. One line each: well or FAILED, what was seen, seconds.

failed=0
program() { env LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/companion /opt/companion/.venv/bin/companion "$@"; }
shown() { systemctl show -p "$1" --value companion; }
seconds() { cut -d. -f1 /proc/uptime; }
limits() { printf '[Service]\nTimeoutStartSec=20\n' >/etc/systemd/system/companion.service.d/try.conf
    [ $# -eq 0 ] || printf '%s\n' "$@" >>/etc/systemd/system/companion.service.d/try.conf
    systemctl daemon-reload; }
fresh() { systemctl reset-failed companion 2>/dev/null; rm -f /run/companion/starts
    systemctl restart companion; sleep 3; main="$(shown MainPID)"; began="$(seconds)"; }
restarted() { # restarted SECONDS: whether another process is ready within that time
    for _ in $(seq $(($1 * 5))); do
        now="$(shown MainPID)"
        if [ "$now" != "$main" ] && [ "$now" != 0 ] && [ "$(shown ActiveState)" = active ]; then main="$now"; return 0; fi
        sleep 0.2
    done; return 1; }
trial() { # trial NAME COMMAND...: the command says whether it went well
    name="$1"; shift; began="$(seconds)"
    if "$@"; then result=well; else result=FAILED; failed=1; fi
    printf '%-6s  %4d s  %s\n' "$result" $(($(seconds) - began)) "$name"
    [ $result = well ] || journalctl -u companion -o cat --no-pager -n 25 | sed 's/^/        /'; }

not() { ! "$@"; }
answers() { program status >/dev/null; }
starts() { systemctl start companion && sleep 1 && answers; }
killed() { kill -9 "$main"; restarted 10; }
killed_often() { for patience in 10 10 15; do kill -9 "$main"; restarted $patience || return 1; done; [ "$(shown NRestarts)" = 3 ]; }
stopped() { kill -STOP "$main"; restarted 60; }
as() { setpriv --reuid "$1" --regid "$1" --groups "$2" python3 -c '
import socket, sys
with socket.socket(socket.AF_UNIX) as daemon:
    daemon.connect("/run/companion/companion.sock")
    daemon.sendall(b"status\n")
    sys.exit(0 if daemon.recv(4096).startswith(b"{\"ok\": true") else 3)' 2>/dev/null; }
opened_by_mistake() { chmod 755 /run/companion; chmod 666 /run/companion/companion.sock; not as 4711 4711; }
audio_thread() { # the thread that waits for the sound server's or the card's descriptors and is not the loop
    for task in /proc/"$main"/task/*; do
        [ "${task##*/}" = "$main" ] || echo "$(awk '{print $14 + $15}' "$task/stat") $(cat "$task/wchan") ${task##*/}"
    done | grep poll_schedule | sort -n | tail -1 | cut -d' ' -f3; }
one_thread_stopped() { python3 /opt/try/stop_thread.py "$(audio_thread)" & stopper=$!
    restarted 90; status=$?; kill -9 $stopper; wait $stopper 2>/dev/null; return $status; }
wrong_settings() { echo 'persona = 5' >/etc/companion/wrong.toml
    echo COMPANION_DEVICE=/etc/companion/wrong.toml >>/etc/companion/companion.env
    systemctl restart companion 2>/dev/null; sleep 5
    sed -i /COMPANION_DEVICE/d /etc/companion/companion.env
    [ "$(shown ActiveState) $(shown ExecMainStatus) $(shown NRestarts)" = "failed 78 0" ]; }
has_its_key() { (umask 077; echo sk-of-the-trial >/etc/companion/dashscope-key); fresh
    setpriv --reuid companion --regid companion --clear-groups cat /run/credentials/companion.service/dashscope-key >/tmp/key
    rm /etc/companion/dashscope-key; [ "$(cat /tmp/key)" = sk-of-the-trial ]; }
writes_only_there() { for place in /etc /opt /var /usr /home /root /boot; do
        [ ! -d $place ] || not nsenter -t "$main" -m touch $place/x 2>/dev/null || return 1; done
    nsenter -t "$main" -m touch /var/lib/companion/x; }
unplugged() { systemctl stop sound; sleep 10; program status | grep -q 'microphone link *well' && return 1
    [ "$(shown MainPID)" = "$main" ] || return 1
    systemctl start sound; sleep 5
    program status | grep -q 'microphone link *well' && [ "$(shown MainPID)" = "$main" ]; }
no_microphone() { systemctl stop sound; not systemctl start companion 2>/dev/null
    systemctl start sound; main=0; restarted 30; }
starved() { limits MemoryHigh=infinity MemoryMax=60M; systemctl restart companion 2>/dev/null; sleep 15
    [ "$(shown NRestarts)" -gt 1 ] || return 1
    limits; main=0; restarted 60; }
writes_nothing() { before="$(grep ^write_bytes /proc/"$main"/io)"; sleep 30
    [ "$before" = "$(grep ^write_bytes /proc/"$main"/io)" ]; }
disk_full() { systemctl stop companion; mount -t tmpfs -o size=64k tmpfs /var/lib/companion
    chown companion:companion /var/lib/companion
    dd if=/dev/zero of=/var/lib/companion/full bs=1k 2>/dev/null
    systemctl start companion && sleep 2 && answers; status=$?
    systemctl stop companion; umount /var/lib/companion; return $status; }
ends_soon() { systemctl stop companion; [ "$(shown Result)" = success ] && [ ! -e /run/companion ]; }
bad_persona() { not program control persona nobody 2>/dev/null && program control reload >/dev/null && systemctl reload companion; }

sh /opt/companion/systemd/install.sh >/dev/null
mkdir -p /etc/systemd/system/companion.service.d
limits
systemctl start systemd-journald sound; sleep 1

trial "starts without a key, is ready and answers" starts
trial "a member of its group may ask" as 4711 "$(id -g companion)"
trial "a stranger may not" not as 4711 4711
trial "nor where the modes were opened by mistake" opened_by_mistake
fresh; trial "a bad persona is refused, a good one is not" bad_persona
fresh; trial "its key comes as a credential" has_its_key
fresh; trial "writes to its state folder only" writes_only_there
fresh; trial "writes nothing in 30 s of rest" writes_nothing
fresh; trial "killed once" killed
fresh; trial "killed three times: each wait is longer" killed_often
fresh; trial "the whole process stopped" stopped
fresh; trial "its audio thread stopped" one_thread_stopped
fresh; trial "the sound server goes and comes back" unplugged
fresh; systemctl stop companion; trial "no microphone at the start" no_microphone
fresh; trial "starved of memory, then fed again" starved
fresh; trial "starts and answers with a full disk" disk_full
fresh; trial "wrong settings are not tried again" wrong_settings
fresh; trial "ends when it is asked to" ends_soon
echo $failed >/results/status
