//! Large answers go out compressed to those who take gzip, as every Go client does.
//!
//! Only what is there whole is compressed. A watch is not: its events would wait in the compressor for those behind them.

use std::io::Write as _;

use axum::body::{Body, HttpBody as _};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, header};

/// Smaller answers are sent sooner than they are compressed; Kubernetes' own threshold.
const FROM_BYTES: u64 = 128 * 1024;

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

/// The answer, compressed if it is large and whole.
pub(crate) async fn compressed(response: Response) -> Response {
    let size = response.body().size_hint().exact();
    let is_encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if is_encoded || size.is_none_or(|size| size < FROM_BYTES) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let plain = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(plain) => plain,
        // A body that is there whole does not break off.
        Err(error) => return crate::error::Status::internal(error).into_response(),
    };
    let input = plain.clone();
    // Megabytes take long enough to hold up whoever else is on this thread.
    let packed = tokio::task::spawn_blocking(move || pack(&input)).await;
    let body = match packed {
        Ok(Ok(packed)) => {
            let gzip = HeaderValue::from_static("gzip");
            parts.headers.insert(header::CONTENT_ENCODING, gzip);
            let vary = HeaderValue::from_static("Accept-Encoding");
            parts.headers.append(header::VARY, vary);
            parts.headers.remove(header::CONTENT_LENGTH);
            packed
        }
        _ => plain,
    };
    Response::from_parts(parts, Body::from(body))
}

/// As fast as it goes: on JSON the first level gets most of what there is to get.
fn pack(plain: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish().map(Bytes::from)
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
