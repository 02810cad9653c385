-- One row: the counter that orders every write, and how far the change log has been forgotten.
-- A writer locks it first and changes it in the transaction of the writes that it numbers. Whoever waits for the lock
-- gets a larger number and commits later, so a number is never visible before a smaller one. A sequence would not do:
-- its numbers may commit out of turn, and a watcher that has read past the larger one would never see the smaller.
create table store_state (
    id integer not null,
    -- The newest committed revision. Starts at 1, because clients read version "0" as "any".
    revision bigint not null,
    -- Changes up to and with this one are gone.
    floor bigint not null,
    constraint store_state_key primary key (id),
    constraint store_state_has_one_row check (id = 1),
    constraint store_state_forgets_only_the_past check (floor <= revision)
);

insert into store_state (id, revision, floor) values (1, 1, 0);

-- Every object as it is now. Keys compare by bytes whatever the database's own language is ("C"), so that the primary
-- key is also the order of lists, and the same order as everywhere else.
create table objects (
    -- Plural and group: environments.mirage.dev; the core group has no suffix: secrets.
    resource text collate "C" not null,
    -- Empty for cluster-scoped kinds.
    namespace text collate "C" not null,
    name text collate "C" not null,
    -- The object's last write.
    revision bigint not null,
    -- JSON without metadata.resourceVersion, which is the column above. Text, because jsonb refuses what JSON allows
    -- (a NUL in a string) and rewrites numbers.
    object text not null,
    constraint objects_key primary key (resource, namespace, name)
);

-- What happened, in the order in which it was committed. Watches read from here.
create table changes (
    revision bigint not null,
    resource text collate "C" not null,
    namespace text collate "C" not null,
    name text collate "C" not null,
    kind text not null,
    -- After the write; for a deletion the last state.
    object text not null,
    -- Before the write: a watch with a selector must notice what left the selection. Null when created.
    previous text,
    constraint changes_key primary key (revision),
    constraint changes_kind_is_known check (kind in ('created', 'updated', 'deleted')),
    constraint changes_know_what_was_before check ((kind = 'created') = (previous is null))
);

create index changes_by_resource on changes (resource, revision);
