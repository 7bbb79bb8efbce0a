"""The room's written-out SQL, each statement with the reason why it is written out."""

# Every request of a patient finds the draft, and building this query with the ORM took longer than
# running it.
FIND_DRAFT = "select * from intake_draft where key_hash = %s"

# The wish step shows rows of three tables. One query reads them for each request, so that they are
# never old.
FIND_DRAFT_TO_WISH = """
select *, array(select name from intake_location where is_active order by name) as places,
  array(select array[id::text, name] from intake_clinician where is_active order by name)
    as clinicians
from intake_draft where key_hash = %s
"""

# Every answered page stores the draft, and building this query with the ORM took longer than
# running it.
STORE_DRAFT = """
update intake_draft set content = %s, address_keys = %s::bigint[], revision = revision + 1,
  updated_at = %s
where id = %s and revision = %s and submission_id is null
"""

# The ORM cannot add to a stored number when the row of an INSERT exists already.
ADD_TO_RULE_COUNTS = """
insert into intake_rulecount as old (day, rule, protocol_hash, fired)
select * from unnest(%s::date[], %s::text[], %s::text[], %s::integer[])
on conflict (day, rule, protocol_hash) do update set fired = old.fired + excluded.fired
"""
