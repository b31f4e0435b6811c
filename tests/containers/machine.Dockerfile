# A Debian machine for `cicd/single-host`: what README.md there says to install, git for a checkout, systemd as process 1.
FROM python:3.13-slim-bookworm
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
# Debian's own Python, as an administrator has it.
ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl dbus git nginx-light procps python3-venv systemd-sysv \
 && rm -rf /var/lib/apt/lists/*
# The packages are fetched here and once; the script finds them without a network.
COPY requirements.txt /wheels/
RUN python3 -m venv /srv/venv \
 && /srv/venv/bin/pip download --quiet --require-hashes --dest /wheels --requirement /wheels/requirements.txt \
 && rm -r /srv/venv
STOPSIGNAL SIGRTMIN+3
