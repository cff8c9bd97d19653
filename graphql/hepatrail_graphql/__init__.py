"""The GraphQL API: what clients, safety officers and auditors see."""
