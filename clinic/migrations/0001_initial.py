from django.db import migrations, models

# The audit trail has a schema of its own. Each row is numbered and hashed together with the row
# before it, under the lock of `head`. So the numbers have no gap, and the chain is in the order of
# commit. `verify` is STABLE: all its queries see one snapshot, whatever is written meanwhile.
AUDIT = r"""
create schema if not exists aud;

create table aud.event (
  seq bigint primary key check (seq > 0),
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  subject text not null,
  purpose text not null default '',
  request_id text not null default '',
  detail jsonb not null default '{}',
  prev_hash bytea not null,
  hash bytea not null
);
create index event_subject on aud.event (subject, seq);
create index event_actor on aud.event (actor, seq);

create table aud.head (
  one boolean primary key default true check (one),
  seq bigint not null,
  hash bytea not null
);
insert into aud.head values (true, 0, '');

create function aud.row_digest(e aud.event, prev bytea) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select sha256(prev || convert_to(jsonb_build_array(
    e.seq, extract(epoch from e.at)::text, e.actor, e.action, e.subject, e.purpose,
    e.request_id, e.detail)::text, 'UTF8'))
$$;

create function aud.chain() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  h aud.head;
begin
  select * into h from aud.head for update;
  new.seq := h.seq + 1;
  new.at := clock_timestamp();
  new.prev_hash := h.hash;
  new.hash := aud.row_digest(new, h.hash);
  update aud.head set seq = new.seq, hash = new.hash;
  return new;
end $$;

create function aud.frozen() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only';
end $$;

create trigger chain before insert on aud.event
  for each row execute function aud.chain();
create trigger frozen before update or delete on aud.event
  for each row execute function aud.frozen();
create trigger frozen_whole before truncate on aud.event
  for each statement execute function aud.frozen();
create trigger frozen_head before delete or truncate on aud.head
  for each statement execute function aud.frozen();

create function aud.verify(anchor_seq bigint default 0, anchor bytea default '')
returns table (bad_seq bigint, why text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  e aud.event;
  h aud.head;
  n bigint := anchor_seq;
  p bytea := anchor;
begin
  for e in select * from aud.event where seq > anchor_seq order by seq loop
    n := n + 1;
    if e.seq <> n then
      bad_seq := n; why := 'gap'; return next; return;
    end if;
    if e.prev_hash <> p then
      bad_seq := n; why := 'link'; return next; return;
    end if;
    if e.hash <> aud.row_digest(e, p) then
      bad_seq := n; why := 'content'; return next; return;
    end if;
    p := e.hash;
  end loop;
  select * into h from aud.head;
  if h.seq is distinct from n or h.hash is distinct from p then
    bad_seq := n; why := 'tail'; return next;
  end if;
end $$;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(AUDIT, "drop schema aud cascade"),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(verbose_name="time")),
                ("actor", models.CharField(max_length=64, verbose_name="who")),
                ("action", models.CharField(max_length=16, verbose_name="what")),
                ("subject", models.CharField(max_length=64, verbose_name="of whom")),
                ("purpose", models.CharField(max_length=16, verbose_name="purpose")),
                ("request_id", models.CharField(max_length=64, verbose_name="request")),
                ("detail", models.JSONField(verbose_name="detail")),
                ("prev_hash", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit trail",
                "db_table": 'aud"."event',
                "ordering": ["-seq"],
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Bucket",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("tokens", models.FloatField()),
                ("at", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
    ]
