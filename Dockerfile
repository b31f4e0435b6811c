# The gateway's image: `docker build .`, or with `--target test` the one that bin/test.sh --container runs.
ARG PYTHON_VERSION=3.13
# Where Python's image is taken from; builds on AWS take it from Amazon's copy of it, as Docker Hub limits strangers.
ARG BASE_IMAGES=docker.io/library

FROM ${BASE_IMAGES}/python:${PYTHON_VERSION}-slim-bookworm AS builder
# pip's own settings, for a build that must use another index. They are not kept in the image.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ENV PIP_NO_CACHE_DIR=1
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt requirements-build.txt requirements-fast.txt ./
COPY bin/setup.sh bin/
RUN bin/setup.sh

FROM builder AS packages
RUN .venv/bin/python -m pip uninstall --quiet --yes setuptools pip

FROM ${BASE_IMAGES}/python:${PYTHON_VERSION}-slim-bookworm AS server
LABEL org.opencontainers.image.title="AI Proxy" \
      org.opencontainers.image.description="One door to every language model: keys, limits and costs in one place"
RUN useradd --uid 10001 --home-dir /app --no-create-home --shell /usr/sbin/nologin aiproxy \
 && install --directory --owner=aiproxy --group=aiproxy /app/var \
 && python -m pip uninstall --quiet --yes --root-user-action=ignore pip
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY requirements.txt requirements-build.txt requirements-fast.txt models.toml gunicorn.conf.py ./
COPY bin bin
COPY certificates certificates
COPY examples examples
COPY lib lib
COPY src src
RUN .venv/bin/python -m compileall -q lib src
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=5000
USER 10001
# All that is written goes to /tmp and /app/var, so the root file system may be read-only.
VOLUME /app/var
EXPOSE 5000 8082
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["python", "bin/healthcheck"]
CMD ["gunicorn", "--config", "gunicorn.conf.py"]

FROM builder AS test
# The real stores, the browser and the like of the tests; with CI set, a test whose program is missing fails and is not skipped.
ENV CI=true
RUN apt-get update \
 && apt-get install --yes --no-install-recommends chromium curl git jq nginx-light openssl postgresql redis-server systemd \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --home-dir /app --no-create-home aiproxy
COPY requirements-dev.txt ./
RUN bin/setup.sh --dev
COPY requirements-cicd.txt ./
RUN bin/setup.sh --cicd
COPY --chown=aiproxy . .
RUN chown aiproxy .
USER 10001
CMD ["bin/test.sh", "--local"]

# What `docker build .` makes. A builder without BuildKit makes every stage above the one it is asked for, so the
# server, which `docker compose` asks for, stands above the tests.
FROM server
