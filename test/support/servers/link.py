"""A link of 40 ms round trip to a network namespace, made of two TUN devices: not every kernel has tc's netem.

Usage: link.py NAMESPACE NAME: 198.18.77.1 here, 198.18.77.2 there. Of what comes from there, every tenth packet with
more than 500 bytes is lost. Behind it, 198.18.78.0/24 cannot be reached, and 198.18.79.0/24 answers nothing.
"""
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time

namespace, name = sys.argv[1:]
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def tun(device):
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def ip(command):
    subprocess.run(["ip", *command.split()], check=True)


here, there = tun(name), tun(f"{name}far")
ip(f"link set {name}far netns {namespace}")
ip(f"address add 198.18.77.1/24 dev {name}")
ip(f"link set {name} up")
ip(f"route add 198.18.78.0/23 dev {name}")
inside = f"netns exec {namespace}"
subprocess.run(["ip", *inside.split(), "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
ip(f"{inside} ip address add 198.18.77.2/24 dev {name}far")
ip(f"{inside} ip link set {name}far up")
ip(f"{inside} ip route add unreachable 198.18.78.0/24")
ip(f"{inside} ip route add blackhole 198.18.79.0/24")
print("up", flush=True)

way = {here: there, there: here}
due, seen, large = [], 0, 0
poll = select.poll()
for one in way:
    poll.register(one, select.POLLIN)
while True:
    wait = max(0, due[0][0] - time.monotonic()) * 1000 if due else None
    for descriptor, _ in poll.poll(wait):
        packet = os.read(descriptor, 65536)
        seen += 1
        if descriptor == there and len(packet) > 500:
            large += 1
            if large % 10 == 0:
                continue
        heapq.heappush(due, (time.monotonic() + 0.02, seen, way[descriptor], packet))
    while due and due[0][0] <= time.monotonic():
        _, _, descriptor, packet = heapq.heappop(due)
        os.write(descriptor, packet)
