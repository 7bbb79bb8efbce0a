from django.db import migrations

# An act puts its event into `inbox`. Its commit numbers and hashes the rows and moves them into
# `event`. So the chain is locked only during the commit, however long the act takes. The advisory
# lock is taken before the lock of `head`, because transactions wait for it in their order.
#
# The release before inserts into `event` itself, where the trigger `chain` goes on to number and
# hash. So both releases may run at once. The right to insert into `event` is taken away after the
# upgrade (docs/operations.md). From here on, roles that may add events may add to the inbox.
INBOX = r"""
create table aud.inbox (
  id bigint generated always as identity primary key,
  actor text not null,
  action text not null,
  subject text not null,
  purpose text not null default '',
  request_id text not null default '',
  detail jsonb not null default '{}'
);

create function aud.empty_inbox(first bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  h aud.head;
  e aud.event;
  r aud.inbox;
begin
  perform pg_advisory_xact_lock(hashtextextended('aud.chain', 0));
  select * into strict h from aud.head for update;
  for r in
    -- nobody else's: each transaction has emptied its own before others see what it did
    with mine as (delete from aud.inbox where id >= first returning *)
    select * from mine order by id
  loop
    e := row(h.seq + 1, clock_timestamp(), r.actor, r.action, r.subject, r.purpose,
      r.request_id, r.detail, h.hash, null);
    e.hash := aud.row_digest(e, h.hash);
    insert into aud.event values (e.*);
    h.seq := e.seq;
    h.hash := e.hash;
  end loop;
  update aud.head set seq = h.seq, hash = h.hash;
end $$;

-- Runs for each row, in order. At the first one all are chained, with one update of the head; so in
-- a transaction with many each costs no more than alone. Rows are found by index: planned for the
-- empty inbox that its statistics know, the whole inbox would be read for each of many.
--
-- Whatever goes wrong, the program is to take it for a database that is down, and not for a time
-- that somebody else has taken, or for a fault of its own.
create function aud.chain_inbox() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
begin
  if exists (select from aud.inbox where id = new.id) then
    perform aud.empty_inbox(new.id);
  end if;
  return null;
exception when others then
  raise exception 'the audit trail takes no event: % (%)', sqlerrm, sqlstate
    using errcode = 'system_error';
end $$;

create function aud.inbox_is_empty() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select not exists (select from aud.inbox)
$$;

revoke execute on function aud.chain(), aud.chain_inbox(), aud.empty_inbox(bigint) from public;

create constraint trigger at_commit after insert on aud.inbox
  deferrable initially deferred for each row execute function aud.chain_inbox();
create trigger frozen before update or delete or truncate on aud.inbox
  for each statement when (pg_trigger_depth() = 0) execute function aud.frozen();
create or replace trigger chain before insert on aud.event
  for each row when (pg_trigger_depth() = 0) execute function aud.chain();

do $$
declare
  who name;
begin
  for who in
    select distinct grantee from information_schema.column_privileges
    where table_schema = 'aud' and table_name = 'event' and column_name = 'actor'
      and privilege_type = 'INSERT' and grantee not in (grantor, 'PUBLIC')
  loop
    execute format('grant insert (actor, action, subject, purpose, request_id, detail)'
      ' on aud.inbox to %I', who);
  end loop;
end $$;
"""

BACK = """
create or replace trigger chain before insert on aud.event
  for each row execute function aud.chain();
drop table aud.inbox;
drop function aud.chain_inbox(), aud.empty_inbox(bigint), aud.inbox_is_empty();
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0002_outbox")]

    operations = [migrations.RunSQL(INBOX, BACK)]
