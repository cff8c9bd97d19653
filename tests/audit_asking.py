"""How an auditor asks the API for its long lists."""

from typing import Any

from graphql_world import World

TRAIL = """query($n: Int!, $a: String, $f: AuditTrailFilter) { auditTrail(first: $n, after: $a, filter: $f) {
  edges { cursor node { eventId position subjectId recordedAt receivedAt actorId actorRole actorOrg automated event
    object field oldValue newValue oldText { value state } newText { value state } reason { value state }
    provenance { eventIds algorithm protocolVersion } } } pageInfo { hasNextPage endCursor } } }"""
REJECTED = """query($n: Int!, $a: String, $f: RejectedCommandFilter) {
  rejectedCommands(first: $n, after: $a, filter: $f) {
    edges { node { commandId command stream code rule field message body texts { path text { value state } }
      actorId actorRole receivedAt recordedAt } } pageInfo { hasNextPage endCursor } } }"""
ACCESS_LOG = """query($n: Int!, $a: String, $f: AccessFilter) { accessLog(first: $n, after: $a, filter: $f) {
  edges { node { instance seq hash at kind actorId actorRole actorOrg command commandId code detail record offset } }
  pageInfo { hasNextPage endCursor } } }"""
SEALS = """query($n: Int!, $a: String) { checkpointSeals(first: $n, after: $a) { edges { node { seal at reason log hash
  previousHash asked trees { origin size rootHash note } history { origin size note } producer record } }
  pageInfo { hasNextPage endCursor } } }"""


async def pages(world: World, query: str, size: int, token: str, **more: Any) -> list[Any]:
    """All nodes of a list, page after page."""
    found, after = list[Any](), None
    while True:
        (page,) = (await world.ask(query, {"n": size, "a": after, **more}, token)).values()
        found += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
