"""Device, operating system, browser and bot flag from the user agent string."""
