# The image of the container. Domestic mirrors go in as build arguments; the hashes of the lock hold for any of them:
#   docker build --build-arg APT_MIRROR=mirrors.cloud.tencent.com --build-arg PIP_INDEX_URL=https://mirrors.cloud.tencent.com/pypi/simple .
# docs/deploy.md explains each step; tests/deploy builds this file step by step without Docker and starts what comes out.
FROM debian:bookworm-slim AS base
ARG APT_MIRROR=""
# sh and the certificates stay: the open interface service installs its own certificate with update-ca-certificates when
# an instance starts. Versions are Debian's newest of this release, since security updates are wanted at every build.
# hadolint ignore=DL3008
RUN if [ -n "$APT_MIRROR" ]; then \
      find /etc/apt -name '*.sources' -exec sed -i "s|deb.debian.org|$APT_MIRROR|g" {} + ; \
    fi \
 && apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 tzdata \
 && rm -rf /var/lib/apt/lists/*

FROM base AS wheels
ARG PIP_INDEX_URL=""
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
COPY container/requirements.txt /build/requirements.txt
# No pip in what runs: the service installs nothing. An empty address would not mean pip's own default.
RUN if [ -z "$PIP_INDEX_URL" ]; then unset PIP_INDEX_URL; fi \
 && python3 -m venv --without-pip /venv \
 && python3 -m pip --python /venv/bin/python3 install --no-cache-dir --no-compile --require-hashes --only-binary :all: \
      -r /build/requirements.txt \
 && rm -rf /venv/lib/python3*/site-packages/gevent/tests /venv/lib/python3*/site-packages/gevent/testing \
 && python3 -m compileall -q /venv/lib

FROM base
RUN useradd --create-home --uid 10001 yunliao
COPY --from=wheels /venv /venv
WORKDIR /app
COPY container/ /app/
# Compiled here, since the user may not write it later: a start after scale to zero must not compile everything anew.
RUN python3 -m compileall -q /app
USER 10001
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TZ=UTC PORT=8080
EXPOSE 8080
CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
