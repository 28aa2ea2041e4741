#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""metrics.py FILE [SHOW]: reads metrics with the parser of Prometheus' own client library for their format; with SHOW, the output of
`wgctl show --json', both must say the same. Prints the samples, a JSON array a line."""

import json
import sys

from prometheus_client import openmetrics, parser
import prometheus_client.openmetrics.parser

PEER = {
    "wgctl_peer_receive_bytes_total": "rx_bytes",
    "wgctl_peer_transmit_bytes_total": "tx_bytes",
    "wgctl_peer_latest_handshake_timestamp_seconds": "latest_handshake",
    "wgctl_peer_persistent_keepalive_seconds": "persistent_keepalive",
}


def compare(samples, show, number):
    """Every number of the one is one of the other."""
    for device in show["interfaces"]:
        peers = {peer["public_key"]: peer for peer in device["peers"]}
        for name, field in PEER.items():
            ours = {s.labels["public_key"]: (s.labels.get("name"), s.value) for s in samples
                    if s.name == name and s.labels["interface"] == device["name"]}
            theirs = {key: (peer["name"], number(peer[field] or 0)) for key, peer in peers.items()}
            assert ours == theirs, (name, ours, theirs)
        ours = {s.labels["public_key"]: s.labels.get("endpoint") for s in samples
                if s.name == "wgctl_peer_info" and s.labels["interface"] == device["name"]}
        assert ours == {key: peer["endpoint"] for key, peer in peers.items()}, ours
        info, = (s.labels for s in samples
                 if s.name == "wgctl_interface_info" and s.labels["interface"] == device["name"])
        assert info.get("public_key") == device["public_key"], info
        assert int(info.get("listen_port", 0)) == (device["listen_port"] or 0), info
        assert int(info.get("fwmark", "0"), 16) == device["fwmark"], info
    names = {device["name"] for device in show["interfaces"]}
    assert {s.labels["interface"] for s in samples if s.name == "wgctl_up"} == names


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        text = file.read()
    reader, number = (openmetrics.parser, int) if text.endswith("\n# EOF\n") else (parser, float)
    families = list(reader.text_string_to_metric_families(text))
    samples = [sample for family in families for sample in family.samples]
    # It does not mind samples that are there twice.
    assert len({(s.name, *sorted(s.labels.items())) for s in samples}) == len(samples)
    for family in families:
        assert family.documentation and family.type in ("gauge", "counter"), family
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            compare(samples, json.load(file), number)
    for sample in samples:
        print(json.dumps([sample.name, sample.labels, int(sample.value)], sort_keys=True, ensure_ascii=False))


if __name__ == "__main__":
    main()
