"""The vault's tables and who may do what in them.

`hepatrail_vault_use` makes and reads keys but can neither change nor delete one; `hepatrail_vault_destroy`
deletes keys and writes tombstones but can neither make a key nor read one. Nobody deletes a tombstone.
"""

VAULT_DDL: tuple[str, ...] = (
    """CREATE TABLE IF NOT EXISTS master_check (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        value bytea NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS subject_key (
        kid text PRIMARY KEY,
        subject_id text NOT NULL UNIQUE,
        wrapped bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE IF NOT EXISTS tombstone (
        kid text PRIMARY KEY,
        subject_id text NOT NULL,
        reason text NOT NULL CHECK (length(reason) >= 3),
        destroyed_by text NOT NULL,
        destroyed_at timestamptz NOT NULL DEFAULT now())""",
    "REVOKE ALL ON master_check, subject_key, tombstone FROM PUBLIC, hepatrail_vault_use, hepatrail_vault_destroy",
    "GRANT SELECT, INSERT ON master_check, subject_key TO hepatrail_vault_use",
    "GRANT SELECT ON tombstone TO hepatrail_vault_use",
    "GRANT SELECT, INSERT ON tombstone TO hepatrail_vault_destroy",
    # DELETE with a condition reads its columns; the wrapped key is not among them.
    "GRANT DELETE, SELECT (kid, subject_id) ON subject_key TO hepatrail_vault_destroy",
)
