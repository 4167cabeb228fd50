# syntax=docker/dockerfile:1
# The image of the container. Domestic mirrors go in as build arguments; the hashes of the lock hold for any of them:
#   docker build --build-arg PIP_INDEX_URL=https://mirror.example/simple --build-arg APT_MIRROR=mirror.example .
FROM python:3.12-slim-bookworm AS wheels
ARG PIP_INDEX_URL
WORKDIR /build
COPY container/requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt

FROM python:3.12-slim-bookworm
ARG APT_MIRROR
# The open interface service installs its certificate with update-ca-certificates and needs a shell (platform rules).
RUN if [ -n "$APT_MIRROR" ]; then sed -i "s|deb.debian.org|$APT_MIRROR|g" /etc/apt/sources.list.d/*.sources; fi \
 && apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 yunliao
COPY --from=wheels /venv /venv
WORKDIR /app
COPY container/ .
# Compiled here, since the user may not write it later: a start after scale to zero must not compile everything anew.
RUN python -m compileall -q yunliao wsgi.py
USER yunliao
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TZ=UTC PORT=8080
EXPOSE 8080
CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
