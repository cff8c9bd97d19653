"""What a batch leaves beside the streams: leaves of the partitions' trees, seals, access records: pure.

Every record of the events is a leaf, also one that cannot be read, in the order of the offsets: the tree is over the
log as it stands (`hepatrail_events.transparency`).
"""

from hepatrail_events.errors import BrokenChain
from hepatrail_events.transparency.tiles import Growing
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS
from hepatrail_projections.access_record import ACCESS_RECORD, AccessRow, access_row
from hepatrail_projections.checkpoint_seal import CHECKPOINT_SEAL, SealRow, seal_row
from hepatrail_projections.log_tile import LOG_TILE, tile_row
from hepatrail_projections.memory import Memory
from hepatrail_projections.records import RawRecord, leaf_of
from hepatrail_projections.table import Connection


class SideTopics:
    """The trees as a batch leaves them, and its seals and access records."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.trees: dict[int, Growing] = {}
        self.last_seal = memory.last_seal
        self._seals: list[SealRow] = []
        self._access: list[AccessRow] = []

    def add_leaf(self, record: RawRecord) -> None:
        """A record of the events becomes the next leaf of its partition's tree."""
        tree = self.trees.get(record.partition)
        if tree is None:
            # A copy, because the memory must not change when the batch fails.
            known = self._memory.trees.get(record.partition)
            tree = self.trees[record.partition] = Growing() if known is None else known.copy()
        tree.append(leaf_of(record), record.offset)

    def take(self, record: RawRecord) -> None:
        """A record of another topic; InvalidMessage when it cannot be read.

        The first seal of a number is the one that counts: another that comes later is no seal of this log.
        """
        raw = record.value or b""
        if record.topic == ACCESS:
            self._access.append(access_row(raw, record.offset))
        elif record.topic == CHECKPOINTS:
            row = seal_row(raw, record.offset)
            if row.seal <= self.last_seal:
                raise BrokenChain(f"seal {row.seal} came after seal {self.last_seal}")
            self._seals.append(row)
            self.last_seal = row.seal

    async def write(self, connection: Connection) -> None:
        """Writes the tiles that changed and the new rows; to be called once."""
        tiles = [tile_row(partition, tile) for partition, tree in self.trees.items() for tile in tree.changed()]
        await LOG_TILE.upsert(connection, tiles)
        await CHECKPOINT_SEAL.insert(connection, self._seals)
        await ACCESS_RECORD.insert(connection, self._access)

    def adopt(self, memory: Memory) -> None:
        """Remembers the trees, after the transaction was committed."""
        memory.trees.update(self.trees)
        memory.last_seal = self.last_seal
