"""The edge: settings, Kafka log, Postgres, vault, embedded servers, telemetry."""
