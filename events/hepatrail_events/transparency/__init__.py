"""The log as a transparency log: Merkle trees (RFC 6962), signed notes, checkpoints and seals. Pure."""
