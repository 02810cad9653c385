-- One row: the counter that orders every write, and how far the change log has been forgotten.
-- It is changed in the transaction of the writes that it numbers, so a number is never visible before a smaller one.
create table store_state (
    id integer primary key check (id = 1),
    -- The newest committed revision. Starts at 1, because clients read version "0" as "any".
    revision integer not null,
    -- Changes up to and with this one are gone.
    floor integer not null
) strict;

insert into store_state (id, revision, floor) values (1, 1, 0);

-- Every object as it is now. Text compares by bytes, so the key is also the order of lists.
create table objects (
    -- Plural and group: environments.mirage.dev; the core group has no suffix: secrets.
    resource text not null,
    -- Empty for cluster-scoped kinds.
    namespace text not null,
    name text not null,
    -- The object's last write.
    revision integer not null,
    -- JSON without metadata.resourceVersion, which is the column above.
    object text not null,
    primary key (resource, namespace, name)
) strict;

-- What happened, in the order in which it was committed. Watches read from here.
create table changes (
    revision integer primary key,
    resource text not null,
    namespace text not null,
    name text not null,
    kind text not null check (kind in ('created', 'updated', 'deleted')),
    -- After the write; for a deletion the last state.
    object text not null,
    -- Before the write: a watch with a selector must notice what left the selection. Null when created.
    previous text,
    check ((kind = 'created') = (previous is null))
) strict;

create index changes_by_resource on changes (resource, revision);
