# SPDX-License-Identifier: MIT
"""What tunnel and flood share: two network namespaces joined by a veth pair, an engine in each, and TCP
through their tunnel."""

import json
import os
import subprocess
import tempfile
import time

import common

OUTER = ("192.0.2.1", "192.0.2.2")
INNER = ("10.77.0.1", "10.77.0.2")
PORT = "51820"
OFFLOADS = ("tso", "gso", "gro", "tx-udp-segmentation")


class Link:
    """Two namespaces and the veth pair between them."""

    def __init__(self, wire):
        self.sides = []
        try:
            for side in "ab":
                self.sides.append(common.Namespace(f"wgbench-{os.getpid()}-{side}"))
            names = [side.name for side in self.sides]
            common.run(["ip", "link", "add", "wire", "netns", names[0], "type", "veth",
                        "peer", "name", "wire", "netns", names[1]])
            for side, address in zip(self.sides, OUTER):
                side.ip("address", "add", address + "/24", "dev", "wire")
                side.ip("link", "set", "wire", "up")
                if wire:
                    off = [word for offload in OFFLOADS for word in (offload, "off")]
                    side.run("ethtool", "-K", "wire", *off)
        except BaseException:
            self.delete()
            raise

    def delete(self):
        for side in self.sides:
            side.delete()


class Tunnel:
    """An engine at each end of the link."""

    def __init__(self, link, command, mtu):
        self.near, self.far = link.sides
        self.engines = []
        try:
            self.build(link, command, mtu)
        except BaseException:
            self.stop()
            raise

    def build(self, link, command, mtu):
        private = [common.run(["wg", "genkey"]) for _ in link.sides]
        public = self.public = [common.run(["wg", "pubkey"], text=key).strip() for key in private]
        for i, side in enumerate(link.sides):
            engine = common.Engine(side, command, f"wgb{os.getpid()}{'ab'[i]}")
            self.engines.append(engine)
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(private[i])
                file.flush()
                engine.wg("set", engine.ifname, "listen-port", PORT, "private-key", file.name, "peer",
                          public[1 - i], "allowed-ips", INNER[1 - i] + "/32",
                          "endpoint", f"{OUTER[1 - i]}:{PORT}")
            engine.ip("address", "add", INNER[i] + "/24", "dev", engine.ifname)
            engine.ip("link", "set", engine.ifname, "mtu", str(mtu), "up")
        self.near.run("ping", "-q", "-c", "3", "-i", "0.2", "-w", "15", INNER[1])

    def cpu(self):
        return sum(engine.cpu() for engine in self.engines)

    def stop(self):
        for engine in self.engines:
            engine.stop()


def iperf(tunnel, seconds, *words):
    """The totals that iperf3 gives at its end, and the CPU seconds that both engines took."""
    server = subprocess.Popen(tunnel.far.words("iperf3", "-s", "-1"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_server(tunnel)
        before = tunnel.cpu()
        out = tunnel.near.run("iperf3", "-J", "-c", INNER[1], "-t", str(seconds), *words,
                              timeout=seconds + 30)
        taken = tunnel.cpu() - before
    finally:
        try:
            server.wait(3)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    return json.loads(out)["end"], taken


def wait_for_server(tunnel):
    deadline = time.monotonic() + 5
    while "5201" not in tunnel.far.run("ss", "-Hltn", "sport", "=", ":5201"):
        if time.monotonic() > deadline:
            raise common.Failure("iperf3 -s does not listen")
        time.sleep(0.02)


def streams(tunnel, seconds, *words):
    """Gbit/s and CPU seconds a GB of TCP."""
    totals, cpu = iperf(tunnel, seconds, *words)
    received = totals["sum_received"]
    if not received["bytes"]:
        raise common.Failure("no TCP came through")
    return received["bits_per_second"] / 1e9, cpu / (received["bytes"] / 1e9)
