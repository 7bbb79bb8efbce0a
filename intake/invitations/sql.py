"""Hand-written SQL of the invitations, with the reason why the ORM is not used."""

# Two people may invite the same person at once, and there is no row yet that one of them could
# lock. The ORM has no advisory locks.
LOCK_PEOPLE = "select pg_advisory_xact_lock(key) from unnest(%s::bigint[]) key"
