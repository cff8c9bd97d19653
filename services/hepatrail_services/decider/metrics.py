"""What operators see of a decider."""

from hepatrail_infra.telemetry import counter, gauge, histogram

DECISIONS = counter("decider_decisions", "Decisions written, by verdict and code", ("verdict", "code"))
TRANSACTIONS = counter("decider_transactions", "Transactions committed")
COMMANDS_PER_TRANSACTION = histogram(
    "decider_commands_per_transaction",
    "Commands decided in one transaction",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500),
)
TRANSACTION_SECONDS = histogram("decider_transaction_seconds", "From the stamp to the end of the commit")
ERRORS = counter("decider_errors", "Commands that could not be read or whose decision failed by a bug", ("code",))
ALIEN_RECORDS = counter("decider_alien_records", "Records of the log that belong to no stream of their partition")
EXPIRED_COMMANDS = counter("decider_expired_commands", "Commands that left Kafka before they were decided")
STALE_STAMPS = counter("decider_stale_stamps", "Transactions given up because stamp and last send lay too far apart")
REJOINS = counter("decider_rejoins", "Times the process left the group and joined again", ("reason",))
READY_LANES = gauge("decider_ready_lanes", "Lanes that this process serves")
ASSIGNED_LANES = gauge("decider_assigned_lanes", "Lanes that the group gave to this process")
PARKED_STREAMS = gauge("decider_parked_streams", "Streams that cannot be folded")
TAKE_OVER_SECONDS = histogram(
    "decider_take_over_seconds", "From an assignment to a lane that serves", buckets=(0.1, 0.3, 1, 3, 10, 30, 100)
)
