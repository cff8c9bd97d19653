"""A token that the stack signs is on record before anybody has it."""

from typing import Any

import jwt

from hepatrail_services.access_log import Access, AccessLog

_ON_RECORD = ("jti", "role", "org", "sites", "exp")


async def record_issued(access: AccessLog, signed: str, by: str) -> None:
    """Says who gave out which token to whom, never the token itself; Unavailable where that cannot be recorded."""
    claims: dict[str, Any] = jwt.decode(signed, options={"verify_signature": False})
    kept = {name: claims[name] for name in _ON_RECORD}
    await access.write(Access.TOKEN_ISSUED, detail={"tokenSubject": claims["sub"], **kept, "by": by})
