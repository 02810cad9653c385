//! The server's side of Git's protocol, version 2, as far as fetching one commit needs it (source: Git's documentation,
//! gitprotocol-v2).

use std::path::Path;

use anyhow::{Context as _, bail};
use gix::ObjectId;

use super::pack::pack;

/// What the server can do.
pub(super) fn advertisement() -> Vec<u8> {
    let mut answer = Vec::new();
    for text in [
        "version 2\n",
        "agent=mirage-tests\n",
        "ls-refs\n",
        "fetch=shallow\n",
        "object-format=sha1\n",
    ] {
        line(&mut answer, text.as_bytes());
    }
    answer.extend(b"0000");
    answer
}

/// The answer to one request.
pub(super) fn answer(repository: &Path, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let repository = gix::open_opts(repository, gix::open::Options::isolated())?;
    let lines = lines(request)?;
    let has = |text: &str| lines.iter().any(|line| line == text);
    if has("command=ls-refs") {
        list(&repository, &lines)
    } else if has("command=fetch") {
        let wanted: ObjectId = lines
            .iter()
            .find_map(|line| line.strip_prefix("want "))
            .context("nothing is wanted")?
            .parse()?;
        if !repository.has_object(wanted) {
            let mut refusal = Vec::new();
            line(
                &mut refusal,
                format!("ERR upload-pack: not our ref {wanted}").as_bytes(),
            );
            return Ok(refusal);
        }
        let mut answer = Vec::new();
        if !has("done") {
            line(&mut answer, b"acknowledgments\n");
            line(&mut answer, b"NAK\n");
            answer.extend(b"0000");
            return Ok(answer);
        }
        if lines.iter().any(|line| line.starts_with("deepen ")) {
            let commit = repository.find_object(wanted)?.peel_to_commit()?.id;
            line(&mut answer, b"shallow-info\n");
            line(&mut answer, format!("shallow {commit}").as_bytes());
            answer.extend(b"0001");
        }
        line(&mut answer, b"packfile\n");
        for chunk in pack(&repository, wanted)?.chunks(60_000) {
            let mut band = vec![1];
            band.extend(chunk);
            line(&mut answer, &band);
        }
        answer.extend(b"0000");
        Ok(answer)
    } else {
        bail!("an unknown command: {lines:?}")
    }
}

fn list(repository: &gix::Repository, lines: &[String]) -> anyhow::Result<Vec<u8>> {
    let prefixes: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("ref-prefix "))
        .collect();
    let is_asked_for =
        |name: &str| prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
    let mut answer = Vec::new();
    if is_asked_for("HEAD")
        && let Ok(id) = repository.head_id()
    {
        let target = repository.head_name()?.context("HEAD names a branch")?;
        line(
            &mut answer,
            format!("{id} HEAD symref-target:{target}\n").as_bytes(),
        );
    }
    for reference in repository.references()?.all()? {
        let mut reference = reference.map_err(|error| anyhow::anyhow!("{error}"))?;
        let name = reference.name().as_bstr().to_string();
        let direct = reference.id().detach();
        let peeled = reference.peel_to_id()?.detach();
        if is_asked_for(&name) {
            let more = if peeled == direct {
                String::new()
            } else {
                format!(" peeled:{peeled}")
            };
            line(&mut answer, format!("{direct} {name}{more}\n").as_bytes());
        }
    }
    answer.extend(b"0000");
    Ok(answer)
}

/// Appends a packet line.
fn line(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(format!("{:04x}", bytes.len() + 4).as_bytes());
    to.extend(bytes);
}

/// How long the first request in a buffer is, delimiters included; `None` while it is not complete. An empty one, which is
/// how a client says goodbye, has four bytes.
pub(super) fn request_length(buffer: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let digits = buffer.get(at..at + 4)?;
        let length = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        at += length.max(4);
        if length == 0 {
            return (at <= buffer.len()).then_some(at);
        }
    }
}

fn lines(request: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut rest = request;
    while !rest.is_empty() {
        let length =
            usize::from_str_radix(std::str::from_utf8(rest.get(..4).context("cut")?)?, 16)?;
        if length >= 4 {
            let text = rest.get(4..length).context("cut")?;
            lines.push(String::from_utf8_lossy(text).trim_end().to_owned());
        }
        rest = rest.get(length.max(4)..).context("cut")?;
    }
    Ok(lines)
}
