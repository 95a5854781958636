"""HTTP for people and programs: routes, pages, middleware, templates, live updates."""
