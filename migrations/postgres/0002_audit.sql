-- Who did what, in the order in which it was committed. The record of a write is in the write's own transaction.
-- The columns repeat what is searched by; the record itself is whole.
create table audit (
    -- Rises by one, without a gap: whoever finds one knows that something was taken out. Given out under the lock on
    -- store_state, like revisions.
    sequence bigint not null,
    -- Microseconds since 1970. Nearly rising: what was counted up in memory comes later than it began, and servers'
    -- clocks differ.
    time bigint not null,
    username text collate "C" not null,
    verb text collate "C" not null,
    -- Plural and group, as in objects; empty for what is about no object.
    resource text collate "C" not null,
    namespace text collate "C" not null,
    name text collate "C" not null,
    -- The HTTP status of the answer.
    code integer not null,
    -- Whether it is what the server's own parts do all day: status, events, leases.
    is_routine integer not null,
    -- The revision that the write had; null for what wrote nothing.
    revision bigint,
    -- JSON, without sequence and revision, which are the columns above. Never a secret: fingerprints stand in their place.
    record text not null,
    constraint audit_key primary key (sequence),
    constraint audit_routine_is_yes_or_no check (is_routine in (0, 1))
);

create index audit_by_time on audit (time);
create index audit_by_namespace on audit (namespace, sequence);
create index audit_by_name on audit (name, sequence);
create index audit_by_username on audit (username, sequence);

create function audit_refuses() returns trigger language plpgsql as $$
begin
    raise exception 'audit records are never changed and never removed';
end;
$$;

create trigger audit_is_append_only before update or delete or truncate on audit
for each statement execute function audit_refuses();
