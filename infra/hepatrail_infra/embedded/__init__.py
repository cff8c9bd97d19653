"""A real Kafka and a real Postgres that start by themselves."""
