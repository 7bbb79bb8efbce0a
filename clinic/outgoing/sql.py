"""The room's written-out SQL, each statement with the reason why it is written out."""

# Workers claim at once, and none waits for another's row. The ORM has no UPDATE that returns its
# rows.
CLAIM = """
update clinic_message set attempts = attempts + 1,
  claimed_until = clock_timestamp() + %s * interval '1 second'
where id = (
  select id from clinic_message
  where state = 'waiting' and next_at <= clock_timestamp()
    and (claimed_until is null or claimed_until < clock_timestamp())
  order by next_at, id for update skip locked limit 1)
returning *, coalesce(expires_at <= clock_timestamp(), false) as expired
"""

# Every staff page asks this, so three answers of two tables come in one query.
TROUBLE = """
select exists (select 1 from clinic_message where state = 'failed'),
  exists (select 1 from clinic_message where state = 'waiting' and due_at < clock_timestamp() - %s),
  exists (select 1 from clinic_bucket where key = %s and at > clock_timestamp() - %s)
"""
