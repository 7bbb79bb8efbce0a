"""The hand-written SQL of appointments. Each statement has the reason why the ORM is not used."""

from intake.models.appointments import Appointment
from intake.models.clinic_time import Closure

# The columns are in the order of the model's fields, because Model.from_db goes by position.
LOCATION_COLUMNS = ["id", "name", "address", "time_zone", "directions", "phone", "is_active"]
VISIT_TYPE_COLUMNS = ["id", "kind", "title", "minutes", "is_active"]
CLOSURE_COLUMNS = [field.attname for field in Closure._meta.concrete_fields]
SUBMISSION_COLUMNS = ["id", "reference", "urgency", "person"]
_SHOWN_IN_THE_WEEK = (
    *("id", "clinician_id", "visit_type_id", "seat", "capacity", "status", "held_until"),
    "sequence",
)
WEEK_COLUMNS = [
    field.attname
    for field in Appointment._meta.concrete_fields
    if field.attname in _SHOWN_IN_THE_WEEK
]

# The ORM has no advisory locks. One statement takes all locks, in the order of the two arrays.
LOCK_DAYS = (
    "SET LOCAL lock_timeout = '3s';"
    " SELECT pg_advisory_xact_lock(hashtextextended('slot:' || clinician || ':' || day, 0))"
    " FROM unnest(%s::text[], %s::text[]) AS spans (clinician, day)"
)

# The ORM cannot join a table with spans that come from the caller.
ENDED_HOLDS = (
    "SELECT a.id FROM intake_appointment a JOIN unnest(%s::uuid[], %s::timestamptz[],"
    " %s::timestamptz[]) AS spans (who, starts, ends) ON a.clinician_id = who"
    " AND a.during && tstzrange(starts, ends) WHERE a.status = 'held' AND a.held_until <= %s"
)

# Many patients look for free times at once, and the ORM took longer to build this query than
# PostgreSQL to run it. The same is true of CLOSURES and BUSY.
HOURS = """
select h.clinician_id, h.location_id, h.weekday, h.starts, h.ends, h.valid_from, h.valid_until,
  h.capacity, c.name, l.name, l.address, l.time_zone, l.directions, l.phone, l.is_active
from intake_openinghours h
join intake_clinician c on c.id = h.clinician_id and c.is_active
join intake_location l on l.id = h.location_id and l.is_active
where (h.valid_until is null or h.valid_until >= %(first)s)
  and (h.valid_from is null or h.valid_from <= %(last)s)
  and (%(clinician)s is null or h.clinician_id = %(clinician)s)
  and (%(location)s is null or h.location_id = %(location)s)
  and (%(visit_type)s is null or (
    exists (select 1 from intake_visittype_clinicians v
      where v.visittype_id = %(visit_type)s and v.clinician_id = h.clinician_id)
    and (%(visit_type)s in
        (select t.visittype_id from intake_openinghours_visit_types t
          where t.openinghours_id = h.id)
      or not exists
        (select 1 from intake_openinghours_visit_types t where t.openinghours_id = h.id))))
"""

# The reason for hand-written SQL is the same as for HOURS.
CLOSURES = f"""
select {", ".join(CLOSURE_COLUMNS)} from intake_closure
where coalesce(last_day >= %(first)s and first_day <= %(last)s,
  ends_at > %(start)s and starts_at < %(end)s)
"""  # noqa: S608  names of columns

# The reason for hand-written SQL is the same as for HOURS.
BUSY = """
select clinician_id, lower(during), upper(during), seat, seat >= capacity from intake_appointment
where clinician_id = any(%s::uuid[]) and status in ('held', 'confirmed')
  and during && tstzrange(%s, %s) and not (status = 'held' and held_until <= %s)
  and id is distinct from %s
"""

# One query reads three small tables, because many patients open the form of free times at once.
MENU = """
with types as (
  select id, kind, title, minutes, is_active from intake_visittype
  where case when %(only)s is null then is_active else id = %(only)s end
)
select 'visit type', * from types
union all select 'clinician', c.id, '', c.name, 0, true from intake_clinician c
  where c.is_active and exists (select 1 from intake_visittype_clinicians v
    join types on types.id = v.visittype_id where v.clinician_id = c.id)
union all select 'location', l.id, '', l.name, 0, true from intake_location l where l.is_active
order by 4
"""

# A full week has hundreds of bookings, and the ORM took longer to build their rows than PostgreSQL
# to run the query.
WEEK = f"""
select lower(a.during), upper(a.during), s.id, s.reference, s.urgency, s.person,
  {", ".join(f"a.{name}" for name in WEEK_COLUMNS)}
from intake_appointment a left join intake_submission s on s.id = a.submission_id
where a.location_id = %s and a.during && tstzrange(%s, %s)
  and a.status not in ('expired', 'cancelled') and not (a.status = 'held' and a.held_until <= %s)
  and (%s is null or a.clinician_id = %s)
order by lower(a.during), a.seat
"""  # noqa: S608  names of columns

# This query runs for each patient who loses a slot, often for many patients at the same moment. It
# reads two tables and fetches only ids.
BOOKED_OR_HELD = """
select id from intake_appointment a where (submission_id = %s or draft_id = %s)
  and (status = 'confirmed' or (status = 'held' and held_until > %s
    and not exists (select 1 from intake_offer o where o.appointment_id = a.id)))
"""
