# SPDX-License-Identifier: MIT
# A container that is one tunnel: `wgctl run' brings it up, stays, and takes it down at the end.
#
#     docker build -t wgctl .
#     docker run --cap-add NET_ADMIN --device /dev/net/tun -v /etc/wireguard:/etc/wireguard:ro wgctl wg0
#
# Other containers share it by --network container:NAME. examples/container.conf is a file for it.
# tests/package/container.bats does these steps without docker; it knows the instructions that are here.
ARG DEBIAN=bookworm

FROM debian:${DEBIAN}-slim AS build
COPY debian /src/debian
RUN apt-get update && apt-get build-dep -y --no-install-recommends -P nocheck /src
COPY . /src
RUN cd /src && dpkg-buildpackage -us -uc -b -Pnocheck && mv /wgctl_*.deb /wgctl.deb

FROM debian:${DEBIAN}-slim
COPY --from=build /wgctl.deb /tmp/wgctl.deb
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/wgctl.deb iproute2 nftables && rm -rf /var/lib/apt/lists/* /tmp/wgctl.deb
# All tunnels of the container, which is one. docker keeps the status 2 to itself.
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s CMD wgctl status --quiet || exit 1
ENTRYPOINT ["wgctl", "run"]
CMD ["wg0"]
