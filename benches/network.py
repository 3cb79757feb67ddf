#!/usr/bin/env python3
"""Runs a command beside four machines on a network whose packets take a time: network namespaces, nemos0 (10.99.0.1) to nemos3 (10.99.0.4).

    network.py SECONDS COMMAND [WORD ...]          as root: network.py 0.001 ip netns exec nemos0 ping -c 3 10.99.0.2

This program is the cable: it holds the other ends of their TUN devices, keeps each packet for the seconds given, and writes it to the device
of the address that it goes to. It sleeps in between, and goes before other programs when it wakes. The namespaces end with the command,
and what still runs in them.
"""

import collections
import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time

MACHINES = 4
DEVICE = "nemos"
# From linux/if_tun.h: bare packets, without a header before them.
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LONGEST = 1 << 16
SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def machine(number):
    """A namespace with a device of the same name in it: the end of that device which is a file here."""
    name = f"{DEVICE}{number}"
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    ip("link", "set", name, "netns", name)
    ip("-n", name, "address", "add", f"10.99.0.{number + 1}/24", "dev", name)
    ip("-n", name, "link", "set", "lo", "up")
    ip("-n", name, "link", "set", name, "mtu", "9000", "up")
    return end


def carry(ends, delay, command):
    """Carries packets until the command ends."""
    ended = os.pidfd_open(command.pid)
    under_way = collections.deque()
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([ended, *ends], [], [], wait)
        if ended in ready:
            return command.wait()
        for end in ready:
            try:
                packet = os.read(end, LONGEST)
            except BlockingIOError:
                continue
            # Version 4 only; the last byte of the address is the number of the machine, from one on.
            if packet[0] >> 4 == 4 and packet[16:19] == b"\x0a\x63\x00" and 1 <= packet[19] <= len(ends):
                under_way.append((time.monotonic() + delay, ends[packet[19] - 1], packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, end, packet = under_way.popleft()
            os.write(end, packet)


def stop(number, _):
    # The first one ends the command; another must not end what tidies up.
    for signal_number in SIGNALS:
        signal.signal(signal_number, signal.SIG_IGN)
    sys.exit(128 + number)


def remove(name):
    inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
    for process in inside.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    ip("netns", "delete", name)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        sys.exit("namespaces and TUN devices are made by root alone: run it as root")
    for number in SIGNALS:
        signal.signal(number, stop)
    delay, words = float(sys.argv[1]), sys.argv[2:]
    made, command = [], None
    try:
        for number in range(MACHINES):
            ip("netns", "add", f"{DEVICE}{number}")
            made.append(f"{DEVICE}{number}")
        ends = [machine(number) for number in range(MACHINES)]
        command = subprocess.Popen(words)
        # A network does not wait for its turn. With this order the system also wakes it when it asked to be woken.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        return carry(ends, delay, command)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{error}"
    finally:
        if command:
            command.terminate()
        for name in made:
            remove(name)


if __name__ == "__main__":
    sys.exit(main())
