"""The SQL of this room. Each comment says why Django's ORM is not used."""

_INSERT_ENTRY = (
    "insert into clinic_cacheentry (key, entry, expires)"
    " values (%(row)s, %(entry)s, to_timestamp(%(expires)s)) on conflict (key)"
)

# The ORM has no INSERT that tells whether the row existed already.
ADD_ENTRY = f"{_INSERT_ENTRY} do nothing returning 1"

# Takes the same values as ADD_ENTRY, but replaces a row that exists.
SET_ENTRY = (
    f"{_INSERT_ENTRY} do update set entry = excluded.entry, expires = excluded.expires returning 1"
)

# The id of the sealing key is in the second to fifth byte of a sealed value (see sealing.kid_of).
# The ORM cannot compare these bytes, because a SealedField can only be looked up by `isnull`.
_OLD_VALUES = 'from "%(table)s" where substring("%(column)s" from 2 for 4) <> %%s'

# The database counts, so that it sends one number for each sealed column instead of the values.
COUNT_OLD_VALUES = f"select count(*) {_OLD_VALUES}"

# The stored bytes are needed here, but a SealedField of the ORM opens each value.
FIND_OLD_VALUES = f'select "%(key)s", "%(column)s" {_OLD_VALUES} limit %%s'

# Replaces a value only if the program has not stored another value meanwhile. The ORM cannot
# compare sealed values.
REPLACE_VALUE = (
    'update "%(table)s" set "%(column)s" = %%s where "%(key)s" = %%s and "%(column)s" = %%s'
)
