"""The log as Kafka has it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from hepatrail_infra.kafka_scan import Scan
from hepatrail_services.audit.source import HeaderRow, Row


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """A `LogSource` over an open `Scan`: committed records, checksums verified (BadBatch)."""

    scan: Scan

    def rows(self, topic: str, partition: int, start: int | None = None) -> AsyncIterator[Sequence[Row]]:
        """As `LogSource.rows`."""
        return self.scan.batches(topic, partition, start)

    def rows_with_headers(self, topic: str, partition: int) -> AsyncIterator[Sequence[HeaderRow]]:
        """As `LogSource.rows_with_headers`."""
        return self.scan.with_headers(topic, partition)
