"""The rules that every plugin keeps."""

from __future__ import annotations

from chatnation_s3.plugin import S3Plugin

from chatnation.testing import compliance

TestS3 = compliance.suite(S3Plugin)
