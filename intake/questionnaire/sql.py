"""The SQL of this room. Each comment says why Django's ORM is not used."""

# Every request of a patient runs this query. The ORM took longer to build the query than the
# database to run it.
FIND_DRAFT = "select * from intake_draft where key_hash = %s"

# The wish step needs rows of three tables. One query reads all of them for each request, so that no
# page shows old rows.
FIND_DRAFT_TO_WISH = """
select *, array(select name from intake_location where is_active order by name) as places,
  array(select array[id::text, name] from intake_clinician where is_active order by name)
    as clinicians
from intake_draft where key_hash = %s
"""

# Every answered page runs this statement. The ORM took longer to build the statement than the
# database to run it.
STORE_DRAFT = """
update intake_draft set content = %s, address_keys = %s::bigint[], revision = revision + 1,
  updated_at = %s
where id = %s and revision = %s and submission_id is null
"""

# The ORM has no INSERT that adds to the stored number if the row exists already.
ADD_TO_RULE_COUNTS = """
insert into intake_rulecount as old (day, rule, protocol_hash, fired, untold)
select * from unnest(%s::date[], %s::text[], %s::text[], %s::integer[], %s::integer[])
on conflict (day, rule, protocol_hash) do update
  set fired = old.fired + excluded.fired, untold = old.untold + excluded.untold
"""

# The ORM has no INSERT that adds to the stored number if the row exists already.
ADD_TO_WALK_COUNTS = """
insert into intake_walkcount as old (day, protocol, kind, event, step, number)
select * from unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::text[], %s::integer[])
on conflict (day, protocol, kind, event, step) do update set number = old.number + excluded.number
"""

# The ORM has no median.
MINUTES_OF_PERIOD = """
select p.name, s.kind, count(*),
  ceil(percentile_cont(0.5) within group (order by s.took_seconds) / 60)::integer
from intake_submission s join intake_protocoldocument p on p.content_hash = s.protocol_hash
where s.took_seconds is not null and s.submitted_at >= %s and not s.suspect
group by p.name, s.kind having count(*) >= %s order by 1, 2
"""

# The ORM has no median.
MEDIAN_MINUTES = """
select p.name, s.kind,
  greatest(2, ceil(percentile_cont(0.5) within group (order by s.took_seconds) / 60))::integer
from intake_submission s join intake_protocoldocument p on p.content_hash = s.protocol_hash
where s.took_seconds is not null and s.submitted_at > %s and not s.suspect
group by p.name, s.kind having count(*) >= %s
"""
