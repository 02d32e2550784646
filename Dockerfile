# Two images: `docker build --target operator .` and `docker build --target worker .`
#
# BASE       Debian or alike with Python 3.11 or later and its venv, bash and libstdc++
# PACKAGES   what is installed in the worker, as `uv pip install` is told it; versions and hashes are always
#            those of requirements/worker.txt
# SOURCE     where the source is published, for the images' labels
#
# Secrets, each optional and none of them kept: pip.conf and uv.toml name another package index, ca.pem holds
# the certificate authorities that it is trusted by. docs/how-to/air-gapped.md shows how to give them.
ARG BASE=python:3.11-slim

FROM ${BASE} AS runtime
ARG SOURCE=""
LABEL org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1
# A name for the user: torch and others ask for it, and fail without.
RUN echo trimtab:x:1000:1000::/tmp:/bin/bash >> /etc/passwd && echo trimtab:x:1000: >> /etc/group

FROM ${BASE} AS tools
WORKDIR /build
ENV PATH=/opt/tools/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CACHE_DIR=/build/cache/pip \
    UV_CACHE_DIR=/build/cache/uv \
    VIRTUAL_ENV=/opt/venv \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_BUILD=1 \
    UV_PYTHON_DOWNLOADS=never
COPY requirements/build.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca.pem,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=cache,target=/build/cache \
    python3 -m venv --without-pip /opt/venv && python3 -m venv /opt/tools && \
    pip install --quiet --only-binary :all: --require-hashes --requirement requirements/build.txt

FROM tools AS trimtab
COPY pyproject.toml README.md LICENSE ./
COPY crds/trimtab_api crds/trimtab_api
COPY operator/trimtab_operator operator/trimtab_operator
COPY jobs/trimtab_jobs jobs/trimtab_jobs
COPY cli/trimtab_cli cli/trimtab_cli
RUN hatchling build --target wheel --directory dist && uv pip install --quiet --offline --no-deps dist/*.whl

FROM tools AS operator-packages
COPY requirements/operator.txt requirements/
RUN --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    --mount=type=secret,id=ca.pem,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=cache,target=/build/cache \
    uv pip install --quiet --require-hashes --requirements requirements/operator.txt

FROM tools AS worker-packages
ARG PACKAGES="--requirements requirements/worker.txt"
COPY requirements/worker.txt requirements/
RUN --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    --mount=type=secret,id=ca.pem,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=cache,target=/build/cache \
    uv pip install --quiet --constraints requirements/worker.txt ${PACKAGES}

# The packages lie in a layer of their own, which stays as it is when only Trimtab's own code changes.
FROM runtime AS worker
LABEL org.opencontainers.image.title="trimtab-worker"
COPY --from=worker-packages /opt/venv /opt/venv
COPY --from=trimtab /opt/venv /opt/venv
USER 1000:1000
RUN bash -c "ray --version" && python -c "from importlib import import_module, util; \
    [import_module(name) for name in ('ray', 'torch', 'onnxruntime') if util.find_spec(name)]"
CMD ["python", "-m", "trimtab_jobs"]

FROM runtime AS operator
LABEL org.opencontainers.image.title="trimtab-operator"
COPY --from=operator-packages /opt/venv /opt/venv
COPY --from=trimtab /opt/venv /opt/venv
USER 1000:1000
RUN python -c "import trimtab_operator.__main__"
EXPOSE 8080 8081
ENTRYPOINT ["python", "-m", "trimtab_operator"]
