"""The schema, written out: every query, mutation and subscription. `python -m hepatrail_graphql.schema` prints it."""

import sys
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from hepatrail_graphql.access_log import access_log
from hepatrail_graphql.alerts import sae_alerts
from hepatrail_graphql.assessments import ASSESSMENTS
from hepatrail_graphql.checkpoints import checkpoint_seals, consistency_proof, inclusion_proof
from hepatrail_graphql.commands import find_command, mutation_type
from hepatrail_graphql.endpoints import endpoints
from hepatrail_graphql.escalations import escalations
from hepatrail_graphql.events import events
from hepatrail_graphql.limits import Limits
from hepatrail_graphql.masking import Masking
from hepatrail_graphql.queries import data_queries
from hepatrail_graphql.refusals import OnRecord
from hepatrail_graphql.rejected_commands import rejected_commands
from hepatrail_graphql.reporting_clocks import reporting_clocks
from hepatrail_graphql.reviews import audit_trail_reviews
from hepatrail_graphql.safety_findings import safety_findings
from hepatrail_graphql.scalars import SCALARS
from hepatrail_graphql.shared_answers import SharingExecutor
from hepatrail_graphql.stopping_rules import stopping_rule_hits
from hepatrail_graphql.study import holds, protocol
from hepatrail_graphql.subjects import subject, subjects
from hepatrail_graphql.subscriptions import Subscription
from hepatrail_graphql.trail import audit_trail
from hepatrail_services.deciders.catalogue import COMMANDS


def _field(resolver: Any, name: str | None = None) -> Any:
    return strawberry.field(resolver=resolver, name=name, description=" ".join((resolver.__doc__ or "").split()))


@strawberry.type(description="Everything that can be read.")
class Query:
    """Everything that can be read."""

    subject = _field(subject)
    subjects = _field(subjects)
    sae_alerts = _field(sae_alerts)
    escalations = _field(escalations)
    reporting_clocks = _field(reporting_clocks)
    stopping_rule_hits = _field(stopping_rule_hits)
    safety_findings = _field(safety_findings)
    data_queries = _field(data_queries)
    holds = _field(holds)
    command = _field(find_command)
    events = _field(events)
    audit_trail = _field(audit_trail)
    rejected_commands = _field(rejected_commands)
    access_log = _field(access_log)
    checkpoint_seals = _field(checkpoint_seals)
    inclusion_proof = _field(inclusion_proof)
    consistency_proof = _field(consistency_proof)
    audit_trail_reviews = _field(audit_trail_reviews)
    endpoints = _field(endpoints)
    protocol = _field(protocol)


class Schema(strawberry.Schema):
    """Leaves the logging of errors to `masking`, which knows what may be shown and logged."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Does nothing: messages of unmasked errors may hold what a client has sent."""


SCHEMA = Schema(
    query=Query,
    mutation=mutation_type(COMMANDS),
    subscription=Subscription,
    types=ASSESSMENTS,
    execution_context_class=SharingExecutor,
    # The first is the outermost: refusals are put on record as they were shown.
    extensions=[OnRecord, Masking, Limits],
    config=StrawberryConfig(scalar_map=SCALARS),
)


if __name__ == "__main__":
    sys.stdout.write(SCHEMA.as_str() + "\n")
