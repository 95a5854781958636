"""The store. boto3 waits, so it does so in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from chatnation import ConfigurationError
from chatnation.plugins.media.api import FileMissing
from chatnation_s3.settings import S3Settings

_PIECE = 256 * 1024
_CONNECTIONS = 20
_MISSING = frozenset({"NoSuchKey", "404"})


class S3Store:
    """Objects of a bucket, under the keys of files with a prefix. Large files go up in several parts at once."""

    def __init__(self, settings: S3Settings) -> None:
        if not settings.bucket:
            raise ConfigurationError("The store s3 needs CHATNATION_S3_BUCKET.")
        self._bucket = settings.bucket
        self._prefix = settings.prefix
        secret = settings.secret_key.get_secret_value() if settings.secret_key else None
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=secret,
            config=Config(
                connect_timeout=settings.timeout_seconds,
                read_timeout=settings.timeout_seconds,
                retries={"mode": "standard", "max_attempts": 4},
                s3={"addressing_style": "path" if settings.path_style else "auto"},
                max_pool_connections=_CONNECTIONS,
                # Stores that only speak like S3 often do not know the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    async def put(self, key: str, content: BinaryIO, content_type: str) -> None:
        arguments = {"ContentType": content_type}
        await asyncio.to_thread(
            self._client.upload_fileobj, _Unclosed(content), self._bucket, self._prefix + key, ExtraArgs=arguments
        )

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        asked = {"Bucket": self._bucket, "Key": self._prefix + key}
        if start or end is not None:
            asked["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            found = await asyncio.to_thread(self._client.get_object, **asked)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                raise FileMissing(f"The file {key} is not in the bucket.") from None
            raise
        body = found["Body"]
        try:
            while piece := await asyncio.to_thread(body.read, _PIECE):
                yield piece
        finally:
            body.close()

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._client.delete_object, Bucket=self._bucket, Key=self._prefix + key)

    async def check(self) -> None:
        """Raise unless the bucket can be reached."""
        await asyncio.to_thread(self._client.head_bucket, Bucket=self._bucket)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class _Unclosed:
    """A file that stays open: the uploader closes what it was given, and the caller still owns it."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        return self._content.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        return self._content.tell()

    def close(self) -> None:
        return
