"""Every error that somebody catches, named by what the catcher does.

    HepatrailError
    ├── CommandRejected    tell the user: code, sentence, rule and field
    ├── Conflict           decide again: somebody else moved first
    ├── InvalidMessage     quarantine: these bytes cannot be read here
    │   ├── NotJson            no JSON, or not an object
    │   ├── InvalidEnvelope    an attribute is missing or of the wrong kind
    │   ├── UnknownType        no event, command or decision has this name here
    │   ├── UnknownVersion     written by a newer program, or no upcaster leads here
    │   ├── InvalidPayload     the data do not have the event's shape
    │   ├── StreamGap          a streamseq is missing before this one
    │   └── BrokenChain        prevhash is not the hash of the event before
    ├── BadSignature       refuse: a signed note, a checkpoint or a proof does not hold
    ├── Broken             tell the auditor: the log is not whole
    ├── Unavailable        back off and try again: Kafka, Postgres or a peer is away
    ├── LogShorter         halt: the log ends before what this reader has stored
    └── StartRefused       stop the start: one sentence says what to mend

Anything else is a bug and crashes.
"""


class HepatrailError(Exception):
    """Root of every error that this project raises on purpose."""


class CommandRejected(HepatrailError):
    """A command that breaks a rule.

    `code` is machine-readable (`RULE`, `CONFLICT`, `SHAPE`, ...), `rule` the id in the domain reference
    ("SES-02"), `field` the path in the command's input ("results[3].unit"), the message a sentence that a
    site understands.
    """

    def __init__(self, message: str, *, rule: str | None = None, field: str | None = None, code: str = "RULE") -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.field = field
        self.code = code


class Conflict(HepatrailError):
    """Somebody else was first; what was decided on the older state is void."""


class InvalidMessage(HepatrailError):
    """Bytes on a topic that this program cannot read; never skipped silently."""

    code = "UNREADABLE"


class NotJson(InvalidMessage):
    """The value is no JSON object."""

    code = "NOT_JSON"


class InvalidEnvelope(InvalidMessage):
    """An envelope attribute is missing or of the wrong kind."""

    code = "INVALID_ENVELOPE"


class UnknownType(InvalidMessage):
    """No family has an event of this name."""

    code = "UNKNOWN_TYPE"


class UnknownVersion(InvalidMessage):
    """The version is newer than this program, or no chain of upcasters leads to the current one."""

    code = "UNKNOWN_VERSION"


class InvalidPayload(InvalidMessage):
    """The data do not have the shape of the event."""

    code = "INVALID_PAYLOAD"


class StreamGap(InvalidMessage):
    """The event's streamseq is higher than the next one expected."""

    code = "STREAM_GAP"


class BrokenChain(InvalidMessage):
    """The event's prevhash is not the hash of the event before it in its stream."""

    code = "BROKEN_CHAIN"


class BadSignature(HepatrailError):
    """A signed note, checkpoint, seal or proof that is not what it says."""


class Broken(HepatrailError):
    """The log is not whole; `code` names the first thing that is wrong ("BROKEN_CHAIN")."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Unavailable(HepatrailError):
    """A server is away for now; trying again later is safe."""


class LogShorter(HepatrailError):
    """The log ends before what this reader has stored, or another event stands there: `LOG_SHORTER`."""


class StartRefused(HepatrailError):
    """Something needed for the start is missing or unsafe; the message is the whole explanation."""
