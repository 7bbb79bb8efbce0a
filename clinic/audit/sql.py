"""The room's written-out SQL, each statement with the reason why it is written out."""

# No model describes the inbox: the program adds to it, and the database empties it at commit.
ADD_EVENT = (
    "insert into aud.inbox (actor, action, subject, purpose, request_id, detail)"
    " values (%s, %s, %s, %s, %s, %s::jsonb)"
)

# No model describes the head of the chain: the database writes it.
HEAD = "select seq, hash from aud.head"

# A function of the database checks the chain, so that no event has to leave the database.
VERIFY = (
    "select bad_seq, why from aud.verify(%s, %s)"
    " union all select seq + 1, 'inbox' from aud.head where not aud.inbox_is_empty()"
)
