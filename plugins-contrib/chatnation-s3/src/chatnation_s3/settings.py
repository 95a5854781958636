"""Which bucket, and how to reach it."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class S3Settings(BaseModel):
    """Settings of the instance, `CHATNATION_S3_<FIELD>`."""

    bucket: str = Field("", description="Bucket that files go to.")
    prefix: str = Field("", description="Put before every key, for a bucket that others use too: `chatnation/`.")
    endpoint: str | None = Field(None, description="Address of a store that is not Amazon's.")
    region: str | None = Field(None, description="Region of the bucket.")
    access_key: str | None = Field(None, description="Unset: as boto3 finds it, from the environment or the machine.")
    secret_key: SecretStr | None = Field(None, description="Secret of the access key.")
    path_style: bool = Field(True, description="The bucket is in the path of addresses, not in the host's name.")
    timeout_seconds: float = Field(20, gt=0, le=300, description="Longest wait for the store to connect or go on.")
