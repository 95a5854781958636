"""The core: ingestion, queue, processing, identity, storage, auth, jobs and web. It knows no feature."""
