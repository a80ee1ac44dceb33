# Plumbline's agent: Node and bpftrace with the libraries that they load, and no shell.
#
#   docker build -t plumbline .
#   docker run --pid host --cap-drop ALL --cap-add BPF --cap-add PERFMON --cap-add SETUID --cap-add SETGID \
#     --read-only -v /sys/kernel/tracing:/sys/kernel/tracing:ro -v /sys/fs/cgroup:/sys/fs/cgroup:ro \
#     -v /var/run/docker.sock:/var/run/docker.sock:ro -p 127.0.0.1:9736:9736 plumbline
#
# The base is Debian 13 with Node 24 and npm, for amd64 or arm64; any such image will do.
ARG BASE=node:24.21.0-trixie-slim

# What is built here is the same for every platform, and so is built on this machine's own, not emulated. Docker's older
# builder does not know which that is.
FROM --platform=${BUILDPLATFORM:-linux/amd64} ${BASE} AS packages
WORKDIR /plumbline
COPY package.json package-lock.json ./
COPY agent/package.json agent/
COPY verdict/package.json verdict/
COPY grafana-plugin/package.json grafana-plugin/
RUN npm ci --omit=dev --workspace=agent --workspace=verdict --no-audit --no-fund

FROM packages AS build
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY . .
RUN npm run build && rm -r agent/src verdict/src

FROM ${BASE} AS root
# 0.24 and later take Linux 5.15; 0.23 runs from 4.18 on, and without CAP_SYS_ADMIN from 5.8 on.
ARG BPFTRACE=0.23.2-1
RUN apt-get update && apt-get install -y --no-install-recommends bpftrace=${BPFTRACE}
# The two and the libraries that they load; -L, since a link would lead nowhere. bpftrace asks a shell whether there is a
# compiler, and crashes if there is no shell (pclose(NULL) in its exec_system): `true` stands in for it, and says no.
# Scanners read in status.d which packages of which Debian these files are from.
RUN ldd /usr/bin/bpftrace "$(command -v node)" | grep -o '/[^ :]*' | sort -u > /files \
  && mkdir -p /root-fs/usr/bin && cp /usr/bin/true /root-fs/usr/bin/sh && ln -s usr/bin /root-fs/bin \
  && xargs cp --parents -L -t /root-fs /etc/os-release < /files \
  && mkdir -p /root-fs/var/lib/dpkg/status.d && cd /root-fs/var/lib/dpkg/status.d \
  && for package in $(xargs realpath < /files | xargs dpkg -S | cut -d : -f 1 | sort -u); do dpkg -s "$package" > "$package"; done \
  && mkdir -p /root-fs/proc /root-fs/sys /root-fs/tmp /root-fs/etc/plumbline \
  && echo 'listen: 0.0.0.0:9736' > /root-fs/etc/plumbline/plumbline.yaml
COPY --from=packages /plumbline/node_modules /root-fs/plumbline/node_modules
COPY --from=build /plumbline/agent /root-fs/plumbline/agent
COPY --from=build /plumbline/verdict /root-fs/plumbline/verdict
COPY bpf /root-fs/plumbline/bpf
COPY LICENSE /root-fs/plumbline/

FROM scratch
COPY --from=root /root-fs /
ENV PATH=/usr/local/bin:/usr/bin
EXPOSE 9736
# Root, because bpftrace insists on it; what listens becomes another user. Other commands do as any user.
ENTRYPOINT ["node", "--max-semi-space-size=2", "/plumbline/agent/bin/plumbline.js"]
CMD ["agent", "--config", "/etc/plumbline/plumbline.yaml"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "-e", "fetch((process.env.PLUMBLINE_URL ?? 'http://127.0.0.1:9736') + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
