"""Where the streams of a sealed log end, as far as a bundle needs to know: versions, protocols, open commits."""

from dataclasses import dataclass, field

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidMessage, StartRefused
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import PARTITIONS

_PROTOCOL = "hepatrail.ProtocolPublished.v"


@dataclass(slots=True)
class Heads:
    """Follows the events of a log in its order; what cannot be read there is left to verification."""

    versions: dict[str, int] = field(default_factory=dict)
    protocols: dict[str, str] = field(default_factory=dict)
    """The content of each protocol version, in the order of publication."""
    ends: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    """The offset behind the last event, by partition."""
    _open: dict[str, bool] = field(default_factory=dict)

    def take(self, value: bytes | None) -> None:
        """The next event."""
        try:
            body = parse_object(value or b"")
            stream, index, size = str(body["subject"]), int(body["commitindex"]), int(body["commitsize"])
            self.versions[stream] = int(body["streamseq"])
            self._open[stream] = index + 1 < size
            if stream == STUDY and str(body["type"]).startswith(_PROTOCOL):
                self.protocols[str(body["data"]["version"])] = str(body["data"]["content"])
        except (InvalidMessage, KeyError, TypeError, ValueError):
            return

    @property
    def subjects(self) -> tuple[str, ...]:
        """The participants in it, by pseudonym."""
        return tuple(sorted(found for stream in self.versions if (found := subject_of(stream)) is not None))

    def refuse_cut_commits(self, seal: int, only: str | None = None) -> None:
        """StartRefused when the seal came between the events of a commit: a bundle holds whole commits.

        `only`: the one stream that is there as a whole.
        """
        cut = sorted(stream for stream, is_open in self._open.items() if is_open and only in (None, stream))
        if cut:
            raise StartRefused(f"Seal {seal} ends inside a commit of {cut[0]}: take another one.")
