-- A document is written once. As objects and changes were tables, each write put its document into both, and the one
-- before it into changes once more: three texts for one.

-- One row per write: the only place where a document's text stands. A row is there as long as somebody can ask for it:
-- it is above the floor, it is an object as it is now, or it is what was before a change above the floor.
create table versions (
    -- Negative for what was before a change and has no write in here; nobody reads it as a revision.
    revision integer primary key,
    resource text not null,
    namespace text not null,
    name text not null,
    kind text not null check (kind in ('created', 'updated', 'deleted')),
    -- The write of the same object before this one.
    previous integer,
    -- After the write; for a deletion the last state. Long, and so behind everything that is read without it.
    object text not null,
    check ((kind = 'created') = (previous is null))
) strict;

-- Which version each object is now. Text compares by bytes, so the key is also the order of lists.
create table heads (
    resource text not null,
    namespace text not null,
    name text not null,
    revision integer not null,
    primary key (resource, namespace, name)
) strict, without rowid;

-- A change's text is what the object made of it, where both are there: a new key reaches objects first.
insert into versions (revision, resource, namespace, name, kind, previous, object)
select
    changes.revision,
    changes.resource,
    changes.namespace,
    changes.name,
    changes.kind,
    case
        when changes.kind != 'created' then coalesce(
            lag(changes.revision) over (
                partition by changes.resource, changes.namespace, changes.name
                order by changes.revision
            ),
            -changes.revision
        )
    end,
    coalesce(objects.object, changes.object)
from changes
left join objects
    on objects.resource = changes.resource
    and objects.namespace = changes.namespace
    and objects.name = changes.name
    and objects.revision = changes.revision
where changes.revision > (select floor from store_state);

-- What was before a change, where its own write has been forgotten.
insert into versions (revision, resource, namespace, name, kind, previous, object)
select
    -changes.revision,
    changes.resource,
    changes.namespace,
    changes.name,
    'created',
    null,
    changes.previous
from changes
join versions
    on versions.revision = changes.revision
    and versions.previous = -changes.revision;

-- Objects whose last write has been forgotten.
insert into versions (revision, resource, namespace, name, kind, previous, object)
select
    objects.revision,
    objects.resource,
    objects.namespace,
    objects.name,
    'created',
    null,
    objects.object
from objects
where objects.revision not in (select revision from versions);

insert into heads (resource, namespace, name, revision)
select resource, namespace, name, revision
from objects;

drop table objects;
drop table changes;

-- Every object as it is now. A left join, so that an object whose version is missing is seen to be damaged, and not
-- taken for one that is not there.
create view objects as
select
    heads.resource,
    heads.namespace,
    heads.name,
    heads.revision,
    versions.object
from heads
left join versions on versions.revision = heads.revision;

-- What happened, in the order in which it was committed. There is no index for one resource: few changes are kept above
-- the floor, and only a watch that catches up asks for them.
create view changes as
select
    versions.revision,
    versions.resource,
    versions.namespace,
    versions.name,
    versions.kind,
    versions.object,
    past.object as previous
from versions
left join versions as past on past.revision = versions.previous
where versions.revision > (select floor from store_state);

-- How a restore puts an object in: nothing is known of the writes that made it.
create trigger objects_are_put_in instead of insert on objects
begin
    insert into versions (revision, resource, namespace, name, kind, previous, object)
    values (new.revision, new.resource, new.namespace, new.name, 'created', null, new.object);
    insert into heads (resource, namespace, name, revision)
    values (new.resource, new.namespace, new.name, new.revision);
end;
