#!/bin/busybox sh
# Process 1 of a guest: mounts what a node has, less what the scenario takes away, and runs the tests.
# SCENARIO comes from the kernel's command line. The report leaves on the second serial line, and then the guest ends.
/bin/busybox mkdir -p /dev /proc /sys /tmp /bin /sbin /usr/bin /usr/sbin /root
/bin/busybox --install -s
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
ln -s /proc/self/fd /dev/fd # As udev and container runtimes do; bpftrace 0.27 compiles into /dev/fd/N.
mount -t tmpfs tmpfs /tmp
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
ip link set lo up
insmod /loop.ko
stty -F /dev/ttyS1 raw

case "$SCENARIO" in
  cgroup-v1)
    mount -t tmpfs tmpfs /sys/fs/cgroup
    for controller in cpu memory pids; do
      mkdir /sys/fs/cgroup/$controller
      mount -t cgroup -o $controller cgroup /sys/fs/cgroup/$controller
    done
    ;;
  *)
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir /sys/fs/cgroup/init
    echo 1 >/sys/fs/cgroup/init/cgroup.procs
    ;;
esac
# bpftrace 0.17 and 0.23 read the list of all tracepoints twenty times for each args-> of a program: a fifth of the time
# that they take to load one here. So it is cut down to those that the probes name.
mount -t tracefs tracefs /sys/kernel/tracing
grep -rhoE 'tracepoint:[a-z0-9_]+:[a-z0-9_]+' /plumbline/bpf /plumbline/agent/dist | cut -d: -f2- | sort -u >/tmp/named
grep -xFf /tmp/named /sys/kernel/tracing/available_events >/tmp/events
mount --bind /tmp/events /sys/kernel/tracing/available_events

# A mount on top hides BTF from every process, as on a kernel that was built without it.
[ "$SCENARIO" = no-btf ] && mount -t tmpfs tmpfs /sys/kernel/btf

node /plumbline/test/kernels/inside/main.js 1000 1024 >/dev/ttyS1
reboot -f
