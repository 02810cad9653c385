//! Amounts of memory and disk as people write them: `512Mi`, `5Gi`.

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a size: write a number with Ki, Mi, Gi or Ti, for example \"512Mi\" or \"5Gi\""
)]
pub struct InvalidQuantity {
    text: String,
}

const UNITS: [(&str, u64); 4] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
];

/// The bytes that `text` names. Zero is not an amount; a fraction is fine as long as whole bytes come out (`0.5Gi`).
///
/// # Errors
/// When there is no unit (a reader would have to guess it), no number, or more than fits.
pub fn parse_bytes(text: &str) -> Result<u64, InvalidQuantity> {
    bytes(text).ok_or_else(|| InvalidQuantity {
        text: text.to_owned(),
    })
}

/// The shortest way to write `bytes` that [`parse_bytes`] reads back; `None` when it is no multiple of 1 Ki.
pub fn format_bytes(bytes: u64) -> Option<String> {
    let (unit, size) = UNITS
        .iter()
        .rev()
        .find(|(_, size)| bytes > 0 && bytes.is_multiple_of(*size))?;
    Some(format!("{}{unit}", bytes / size))
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, size)| Some((text.strip_suffix(name)?, *size)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || number.ends_with('.') || !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled: u64 = format!("{whole}{fraction}").parse().ok()?;
    let product = u128::from(scaled) * u128::from(unit);
    if product == 0 || product % u128::from(scale) != 0 {
        return None;
    }
    u64::try_from(product / u128::from(scale)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_binary_units() {
        for (text, bytes) in [
            ("1Ki", 1024),
            ("512Mi", 536_870_912),
            ("5Gi", 5_368_709_120),
            ("0.5Gi", 536_870_912),
            ("1Ti", 1_099_511_627_776),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        assert_eq!(format_bytes(536_870_912).as_deref(), Some("512Mi"));
        assert_eq!(format_bytes(1), None);
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for text in [
            "",
            "5",
            "5G",
            "5GB",
            "-1Gi",
            "0Gi",
            ".5Gi",
            "1.Gi",
            "1e3Mi",
            "0.1Ki",
            "99999999999Ti",
            "1 Gi",
        ] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
