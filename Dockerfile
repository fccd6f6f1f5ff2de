# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock .
RUN python -m venv /opt/sentinel && /opt/sentinel/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir build \
 && /opt/build/bin/python -m build --wheel --outdir /tmp/wheel \
 && /opt/sentinel/bin/pip install --no-cache-dir --no-deps /tmp/wheel/*.whl

FROM python:3.13-slim
# git names the commit and author of a mounted checkout of rules.
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10160 --home-dir /var/lib/sentinel --create-home sentinel \
 && mkdir -p /etc/sentinel && git config --system --add safe.directory '*'
# The base image leaves out the compiled standard library, and who is not root could not keep it: paid at every start.
RUN python -m compileall -q -x '/tests?/' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/sentinel /opt/sentinel
ENV PATH=/opt/sentinel/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SENTINEL_CONFIG=/etc/sentinel \
    SENTINEL_DATABASE_URL=sqlite:////var/lib/sentinel/sentinel.db \
    SENTINEL_LOG_FORMAT=json
USER sentinel
WORKDIR /var/lib/sentinel
VOLUME /var/lib/sentinel
EXPOSE 9160
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('SENTINEL_LISTEN', ':9160').rsplit(':', 1)[1] + '/healthz', timeout=2)"]
ENTRYPOINT ["sentinel"]
CMD ["run"]
