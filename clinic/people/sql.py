"""The room's written-out SQL, each statement with the reason why it is written out."""

_INSERT_ENTRY = (
    "insert into clinic_cacheentry (key, entry, expires)"
    " values (%(row)s, %(entry)s, to_timestamp(%(expires)s)) on conflict (key)"
)

# The ORM has no INSERT that tells whether the row was there already.
ADD_ENTRY = f"{_INSERT_ENTRY} do nothing returning 1"

# The form of ADD_ENTRY that replaces a row: both run with the same values.
SET_ENTRY = (
    f"{_INSERT_ENTRY} do update set entry = excluded.entry, expires = excluded.expires returning 1"
)

# The id of the key is in the second to fifth byte of a sealed value (see sealing.kid_of). The ORM
# opens every value that it reads, so it cannot compare these bytes.
_OLD_VALUES = 'from "%(table)s" where substring("%(column)s" from 2 for 4) <> %%s'

# The database counts, so that it sends one number for each sealed column and no values.
COUNT_OLD_VALUES = f"select count(*) {_OLD_VALUES}"

# The ORM would open each value, and a value must be sealed anew as it was stored.
FIND_OLD_VALUES = f'select "%(key)s", "%(column)s" {_OLD_VALUES} limit %%s'

# The value is replaced only if the program has not stored another one meanwhile: the ORM cannot
# compare a sealed value.
REPLACE_VALUE = (
    'update "%(table)s" set "%(column)s" = %%s where "%(key)s" = %%s and "%(column)s" = %%s'
)
