"""Fixtures come from Chatnation's own pytest plugin; these add an event loop and a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "files"
ACCOUNT = {"access_key": "testing", "secret_key": "testing", "region": "us-east-1"}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of a server that speaks S3, in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Iterator[Any]:
    """An empty bucket, as its owner sees it."""
    found = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name=ACCOUNT["region"],
        aws_access_key_id=ACCOUNT["access_key"],
        aws_secret_access_key=ACCOUNT["secret_key"],
    ).Bucket(BUCKET)
    found.create()
    yield found
    found.objects.all().delete()
    found.delete()
    found.meta.client.close()


@pytest.fixture
def s3_settings(endpoint: str) -> dict[str, Any]:
    """Settings of the plugin that lead to the bucket."""
    return {"bucket": BUCKET, "endpoint": endpoint, "prefix": "ours/", **ACCOUNT}
