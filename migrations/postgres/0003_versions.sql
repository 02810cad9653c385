-- In SQLite this step writes a document once instead of three times. Here it changes nothing: the backends' steps have the
-- same numbers, because a backup of either is a SQLite file of the same schema, and objects and changes read the same in
-- both.
-- The tables stay as they are. PostgreSQL compresses long texts, and takes a group of writes in one statement, which the
-- network outweighs.
select 1;
