"""Errors of the caller outside a command: each has `extensions.code`; whatever is not one of these is masked."""

from typing import Any

from graphql import GraphQLError


class CallerError(GraphQLError):
    """An error that the caller may see and can act upon."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message, extensions={"code": code, **{key: value for key, value in more.items() if value}})


def bad_input(message: str, *, field: str, rule: str) -> CallerError:
    """An argument outside its limits: names the argument and the rule."""
    return CallerError("BAD_USER_INPUT", message, field=field, rule=rule)


def forbidden(operation: str, role: str) -> CallerError:
    """The role may not use the operation."""
    return CallerError("FORBIDDEN", f"The role {role} may not use {operation}.", rule="ACC-02")


def other_sites(operation: str) -> CallerError:
    """The operation answers of all sites, or of a participant whom the caller's token does not reach."""
    return CallerError("FORBIDDEN", f"{operation} reaches sites that your token does not.", rule="ACC-02")


def mirror_differs(message: str) -> CallerError:
    """What the database holds does not fit what was sealed: it was altered, or the checkpoint is no checkpoint."""
    return CallerError("LOG_MIRROR_DIFFERS", message, rule="AUD-06")


def unauthenticated(message: str) -> CallerError:
    """No valid token stands behind the request any more."""
    return CallerError("UNAUTHENTICATED", message, rule="ACC-04")


def not_yet_projected(position: str) -> CallerError:
    """The projection did not reach the asked position in time; nothing older is answered."""
    return CallerError("NOT_YET_PROJECTED", f"{position} is not projected yet; ask again.", position=position)


def not_found(what: str) -> CallerError:
    """Nothing of this name exists as far as the caller may know."""
    return CallerError("NOT_FOUND", f"{what} does not exist or is not of your sites.")


def unavailable(what: str) -> CallerError:
    """A server behind the API is away for now."""
    return CallerError("UNAVAILABLE", f"{what} is away for now; ask again.")


def slow_client(cursor: str | None) -> CallerError:
    """The client did not read, so it was left; `cursor` is from where it goes on without missing anything."""
    return CallerError("SLOW_CLIENT", "You did not read for too long; go on after the cursor.", cursor=cursor)
