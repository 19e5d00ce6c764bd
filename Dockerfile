# One process of the site: docker build -t microblog .
# compose.yaml adds PostgreSQL; docs/deploy.md says how to run it.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE hypercorn.toml ./
COPY templates templates
COPY static static
COPY microblog microblog
RUN python -m venv /opt/microblog
RUN /opt/microblog/bin/pip install --no-cache-dir .
# The user below may not write there what templates compile to, a second of every start.
RUN /opt/microblog/bin/python -P -c "import asyncio; from microblog.web.rendering import warm; asyncio.run(warm(rest=0))"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin microblog \
    && install --directory --owner=microblog --group=microblog --mode=0700 /var/lib/microblog
COPY --from=build /opt/microblog /opt/microblog
ENV PATH=/opt/microblog/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MICROBLOG_DATA_DIR=/var/lib/microblog \
    MICROBLOG_BIND=0.0.0.0:8000 \
    MICROBLOG_LOG_FORMAT=json
USER microblog
WORKDIR /var/lib/microblog
VOLUME /var/lib/microblog
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["microblog"]
CMD ["serve"]
