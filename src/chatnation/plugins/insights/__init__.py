"""Any question about events, built on a page, seen as a chart and a table, and shared by its link."""
