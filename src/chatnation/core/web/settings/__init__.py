"""Pages and routes for running an organisation, under `/settings`."""
