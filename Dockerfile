# The serving image: what answers requests and writes the log, and nothing that learns.
# Built in two stages; runs as nobody in particular; writes to /srv/sanderling/var only.

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --constraint constraints.txt ".[serve]" \
    && /venv/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home --home-dir /srv/sanderling sanderling
WORKDIR /srv/sanderling
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/srv/sanderling/.numba \
    OMP_NUM_THREADS=1 \
    SANDERLING_HOME=/srv/sanderling/var
COPY --from=build /venv /venv
COPY domain domain
COPY feature_store feature_store
COPY models models
COPY service service
RUN mkdir var .numba && chown sanderling var .numba
USER 10001

# For exchanges: say where they reach this service (SANDERLING_PUBLIC_URL), and who you are on the
# list of vendors (SANDERLING_TCF_VENDOR); see the table of settings in README.md.

# Compile the kernels once, here; a processor of another make does it again at its first start.
RUN --mount=type=bind,source=deploy,target=/deploy python /deploy/warm.py

VOLUME /srv/sanderling/var
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "service", "--host", "0.0.0.0", "--port", "8000"]
