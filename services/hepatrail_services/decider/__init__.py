"""The decider: the only writer of a stream. Consumes, decides, produces and commits in one Kafka transaction."""
