"""Hand-written SQL for codes and grants. Each statement has the reason why the ORM is not used."""

from intake.models.access import Grant
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Submission

# A try is counted before the code is compared, so that simultaneous tries cannot be more than five.
# The ORM has no UPDATE that returns its rows.
COUNT_TRY = """
update intake_challenge set tries = tries + 1
where id = (select id from intake_challenge where browser_hash = %s order by id desc limit 1)
  and tries < %s and used_at is null and expires_at > clock_timestamp()
returning id, code_hash, draft_id, submissions
"""

# Answers and names are not read with the grant, because only some pages show them.
_UNREAD = ("answers", "assessment", "person", "search_keys", "wishes")
GRANT_COLUMNS = [
    (model, [field for field in model._meta.concrete_fields if field.name not in _UNREAD])
    for model in (Grant, Submission, AppointmentRequest)
]

_COLUMNS = ", ".join(
    f"{model._meta.db_table}.{field.column}" for model, fields in GRANT_COLUMNS for field in fields
)

# Every request for a patient's own page runs this statement. The ORM cannot read the grant and
# store the time of the visit in one statement.
FIND_GRANT_AND_NOTE_VISIT = f"""
with mine as (
  select * from intake_grant where key_hash = %(hash)s
    and seen_at > clock_timestamp() - %(idle)s and created_at > clock_timestamp() - %(lives)s
), noted as (
  update intake_grant set seen_at = clock_timestamp()
  where id = (select id from mine where seen_at < clock_timestamp() - %(noted)s)
)
select {_COLUMNS}
from mine as intake_grant
left join intake_submission on intake_submission.id = intake_grant.chosen_id
left join intake_appointmentrequest
  on intake_appointmentrequest.submission_id = intake_submission.id
"""  # noqa: S608  names of columns
