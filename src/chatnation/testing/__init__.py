"""The kit for authors of plugins: servers, applications, clients and factories for tests."""
