# Stands in for the official LocalStack image where no registry can be reached: the same version, from PyPI.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /opt/localstack && /opt/localstack/bin/pip install --quiet --disable-pip-version-check \
    "localstack-core[base-runtime]==4.14.0" "moto-ext[route53,acm]" service_identity \
    "cryptography<47" "pyopenssl<26" "cbor2<5.8" "plux<1.15" \
    && /opt/localstack/bin/python -m compileall -q /opt/localstack/lib
# As the official image has them, so that the same mounts fit.
RUN mkdir -p /usr/lib/localstack && mkdir -p -m 0777 /var/lib/localstack
LABEL testbed.stand-in=localstack
ENV SKIP_SSL_CERT_DOWNLOAD=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["/opt/localstack/bin/python", "-m", "localstack.runtime.main"]
