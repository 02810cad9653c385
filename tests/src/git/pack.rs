//! Packs as Git sends them, without deltas (source: Git's documentation, gitformat-pack).

use std::io::Write as _;

use gix::{
    ObjectId, Repository,
    hash::Kind as Hash,
    objs::{Kind, tree::EntryKind},
    zlib::{Compression, stream::deflate},
};

/// A pack with a commit (or a tag and its commit) and everything in its tree, but none of its history.
pub(super) fn pack(repository: &Repository, wanted: ObjectId) -> anyhow::Result<Vec<u8>> {
    let mut objects = Vec::new();
    let mut open = vec![wanted];
    while let Some(id) = open.pop() {
        if objects.contains(&id) {
            continue;
        }
        objects.push(id);
        let object = repository.find_object(id)?;
        match object.kind {
            Kind::Commit => open.push(object.into_commit().tree_id()?.detach()),
            Kind::Tag => open.push(object.into_tag().target_id()?.detach()),
            Kind::Tree => open.extend(
                object
                    .into_tree()
                    .decode()?
                    .entries
                    .iter()
                    // A submodule's commit is in another repository.
                    .filter(|entry| entry.mode.kind() != EntryKind::Commit)
                    .map(|entry| entry.oid.to_owned()),
            ),
            Kind::Blob => {}
        }
    }
    let mut pack = b"PACK".to_vec();
    pack.extend(2_u32.to_be_bytes());
    pack.extend(u32::try_from(objects.len())?.to_be_bytes());
    for id in objects {
        let object = repository.find_object(id)?;
        let kind = match object.kind {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
            Kind::Tag => 4,
        };
        header(&mut pack, kind, object.data.len());
        let mut deflated = deflate::Write::new(Vec::new(), Compression::default());
        deflated.write_all(&object.data)?;
        deflated.flush()?;
        pack.extend(deflated.into_inner());
    }
    let mut hasher = gix::hash::hasher(Hash::Sha1);
    hasher.update(&pack);
    pack.extend_from_slice(hasher.try_finalize()?.as_slice());
    Ok(pack)
}

/// Kind and size of an object, in the pack's own numbers.
fn header(pack: &mut Vec<u8>, kind: u8, size: usize) {
    let mut byte = kind << 4 | (size & 0x0f) as u8;
    let mut rest = size >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    pack.push(byte);
}
