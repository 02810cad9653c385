-- Who did what, in the order in which it was committed. The record of a write is in the write's own transaction.
-- The columns repeat what is searched by; the record itself is whole.
create table audit (
    -- Rises by one, without a gap: whoever finds one knows that something was taken out.
    sequence integer primary key,
    -- Microseconds since 1970. Nearly rising: what was counted up in memory comes later than it began.
    time integer not null,
    username text not null,
    verb text not null,
    -- Plural and group, as in objects; empty for what is about no object.
    resource text not null,
    namespace text not null,
    name text not null,
    -- The HTTP status of the answer.
    code integer not null,
    -- Whether it is what the server's own parts do all day: status, events, leases.
    is_routine integer not null check (is_routine in (0, 1)),
    -- The revision that the write had; null for what wrote nothing.
    revision integer,
    -- JSON, without sequence and revision, which are the columns above. Never a secret: fingerprints stand in their place.
    record text not null
) strict;

create index audit_by_time on audit (time);

-- Rows of one key are in the order of their sequence: SQLite puts it behind every index.
create index audit_by_namespace on audit (namespace);
create index audit_by_name on audit (name);
create index audit_by_username on audit (username);

create trigger audit_is_never_rewritten before update on audit
begin
    select raise(abort, 'audit records are never changed');
end;

create trigger audit_is_never_shortened before delete on audit
begin
    select raise(abort, 'audit records are never removed');
end;
