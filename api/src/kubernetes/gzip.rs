//! Large answers go out compressed to those who take gzip, as every Go client does.
//!
//! Only what says beforehand that it is large is compressed. A watch does not know how much it will send, and must not be:
//! its events would wait in the compressor for those behind them.

use std::io::Write as _;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};

/// Smaller answers are sent sooner than they are compressed; Kubernetes' own threshold.
const FROM_BYTES: u64 = 128 * 1024;

/// Compressed in one go: about a millisecond.
const PIECE: usize = 64 * 1024;

/// Whether the client takes gzip.
pub(crate) fn is_taken(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let quality = quality.trim().strip_prefix("q=");
        let quality = quality.and_then(|text| text.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality| quality > 0.0)
    })
}

/// The answer, compressed if it is known to be large.
pub(crate) fn compressed(response: Response) -> Response {
    let is_encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if is_encoded || response.body().size_hint().lower() < FROM_BYTES {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let gzip = HeaderValue::from_static("gzip");
    parts.headers.insert(header::CONTENT_ENCODING, gzip);
    let vary = HeaderValue::from_static("Accept-Encoding");
    parts.headers.append(header::VARY, vary);
    parts.headers.remove(header::CONTENT_LENGTH);
    let packing = Packing {
        body: body.into_data_stream(),
        plain: Bytes::new(),
        // As fast as it goes: on JSON the first level gets most of what there is to get.
        encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())),
    };
    let packed = stream::try_unfold(packing, Packing::next);
    Response::from_parts(parts, Body::from_stream(packed))
}

/// A body on its way through the compressor.
struct Packing {
    body: BodyDataStream,
    /// What has arrived and is not compressed yet.
    plain: Bytes,
    /// `None` when the end is sent.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Packing {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, axum::Error> {
        while let Some(encoder) = &mut self.encoder {
            if self.plain.is_empty() {
                match self.body.next().await {
                    Some(chunk) => self.plain = chunk?,
                    None => {
                        let end = self.encoder.take().map(GzEncoder::finish).transpose();
                        let end = end.map_err(axum::Error::new)?.unwrap_or_default();
                        return Ok(Some((end.into(), self)));
                    }
                }
                continue;
            }
            let piece = self.plain.split_to(self.plain.len().min(PIECE));
            encoder.write_all(&piece).map_err(axum::Error::new)?;
            let packed = std::mem::take(encoder.get_mut());
            // Megabytes take long enough to hold up whoever else is on this thread.
            tokio::task::yield_now().await;
            if !packed.is_empty() {
                return Ok(Some((packed.into(), self)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_name_it() {
        for (value, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
            ("gzip;x=1", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(is_taken(&headers), expected, "{value}");
        }
    }
}
