"""The SQL of this room. Each comment says why Django's ORM is not used."""

# Several workers may claim at the same time, and no worker waits for a row that another worker has
# locked. The ORM has no UPDATE that returns the changed rows. An alert may be tried for months, and
# `attempts` must not leave the range of its column.
CLAIM = """
update clinic_message set attempts = least(attempts + 1, 32000),
  claimed_until = clock_timestamp() + %s * interval '1 second'
where id = (
  select id from clinic_message
  where state = 'waiting' and next_at <= clock_timestamp()
    and (claimed_until is null or claimed_until < clock_timestamp())
  order by lane, next_at, id for update skip locked limit 1)
returning *, coalesce(expires_at <= clock_timestamp(), false) as expired
"""

# Every staff page runs this query, so one query gets the four answers from two tables.
TROUBLE = """
select exists (select 1 from clinic_message where state = 'failed'),
  exists (select 1 from clinic_message where state = 'waiting' and lane > 0
    and due_at < clock_timestamp() - %s),
  exists (select 1 from clinic_message where state = 'waiting' and lane = 0
    and (attempts > 1 or due_at < clock_timestamp() - %s)),
  exists (select 1 from clinic_bucket where key = %s and at > clock_timestamp() - %s)
"""

# The ORM has no advisory locks. There is no row to lock, because a number has a row for each text.
LOCK_NUMBER = "select pg_advisory_xact_lock(%s)"
