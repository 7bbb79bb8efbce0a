"""The SQL of this room. Each comment says why Django's ORM cannot be used."""

# The inbox has no model, because the program only adds rows; at commit the database empties it.
ADD_EVENT = (
    "insert into aud.inbox (actor, action, subject, purpose, request_id, detail)"
    " select %s, %s, unnest(%s::text[]), %s, %s, %s::jsonb"
)

# The head of the chain (its last number and hash) has no model: only the database writes the head.
HEAD = "select seq, hash from aud.head"

# A page waits for a check no longer than this. The ORM cannot set a limit.
SET_TIME_LIMIT = "set local statement_timeout = %s"

# A function in the database checks the chain, so that no event has to leave the database.
VERIFY = (
    "select bad_seq, why from aud.verify(%s, %s)"
    " union all select seq + 1, 'inbox' from aud.head where not aud.inbox_is_empty()"
)
