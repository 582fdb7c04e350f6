//! Scores as Python's `repr` writes them, so that output compares byte for byte with what people had before.

/// Rounded values beyond this are left to the general algorithm; below it, decimals of up to 15 digits and doubles
/// correspond one to one, so the digits of the rounded integer are the shortest that read back.
const MAX_SCALED: f64 = 1e15;
/// `repr` turns to exponents below this.
const MIN_FIXED: f64 = 1e-4;

/// Appends `value`. If it is rounded to at most `decimals` decimals, as announced, an integer's digits are enough.
/// JSON has no word for what is not a number, so that is `null`.
pub(crate) fn write_score(out: &mut Vec<u8>, value: f64, decimals: Option<u8>) {
    // Zero is the most frequent score: that of every text without a word that the model knows.
    if value.to_bits() == 0 {
        out.extend_from_slice(b"0.0");
    } else if !value.is_finite() {
        out.extend_from_slice(b"null");
    } else if !decimals.is_some_and(|decimals| write_rounded(out, value, decimals)) {
        write_shortest(out, value);
    }
}

/// Writes `value` from the digits of `value × 10^decimals`; says no if that is not what it is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the scaled value is positive and below 1e15, and the comparison proves the digits right"
)]
fn write_rounded(out: &mut Vec<u8>, value: f64, decimals: u8) -> bool {
    let size = value.abs();
    let Some(scale) = 10_u64.checked_pow(u32::from(decimals)) else {
        return false;
    };
    let scaled = size * scale as f64;
    if scaled >= MAX_SCALED || (size != 0.0 && size < MIN_FIXED) {
        return false;
    }
    let digits = (scaled + 0.5) as u64;
    if digits as f64 / scale as f64 != size {
        return false;
    }
    if digits < 10 * scale && (decimals == 3 || decimals == 4) {
        write_short(out, value.is_sign_negative(), digits as u32, decimals);
        return true;
    }
    let (mut whole, mut fraction) = (digits / scale, digits % scale);
    // 15 digits, a point, a leading zero and a sign.
    let mut buffer = [b'0'; 24];
    let mut at = buffer.len();
    let mut end = at;
    for _ in 0..decimals {
        at -= 1;
        buffer[at] = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    if decimals == 0 {
        at -= 1;
    }
    while end > at + 1 && buffer[end - 1] == b'0' {
        end -= 1;
    }
    at -= 1;
    buffer[at] = b'.';
    loop {
        at -= 1;
        buffer[at] = b'0' + (whole % 10) as u8;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    if value.is_sign_negative() {
        at -= 1;
        buffer[at] = b'-';
    }
    out.extend_from_slice(&buffer[at..end]);
    true
}

/// Three digits, and how many of them are left without the zeros at the end, which is at least one.
static THREES: [[u8; 4]; 1000] = threes();

#[expect(clippy::cast_possible_truncation, reason = "a digit fits")]
const fn threes() -> [[u8; 4]; 1000] {
    let mut all = [[0; 4]; 1000];
    let mut n = 0;
    while n < 1000 {
        let (a, b, c) = (n / 100, n / 10 % 10, n % 10);
        let len = match (b, c) {
            (0, 0) => 1,
            (_, 0) => 2,
            _ => 3,
        };
        all[n] = [b'0' + a as u8, b'0' + b as u8, b'0' + c as u8, len];
        n += 1;
    }
    all
}

/// Writes a number below ten with three or four decimals, of which zeros at the end are left out: what nearly all scores
/// are, and four to a record, so that it pays to look their digits up.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a digit fits, and so does its place"
)]
fn write_short(out: &mut Vec<u8>, negative: bool, digits: u32, decimals: u8) {
    let (whole, first, last) = if decimals == 3 {
        (digits / 1000, digits % 1000, 0)
    } else {
        (digits / 10_000, digits / 10 % 1000, digits % 10)
    };
    let [a, b, c, len] = THREES[first as usize];
    let text = [
        b'-',
        b'0' + whole as u8,
        b'.',
        a,
        b,
        c,
        b'0' + last as u8,
        0,
    ];
    let len = if last == 0 { len } else { 4 };
    let unused = usize::from(!negative);
    // Eight bytes are one store, while the exact length would be a call of memcpy.
    let text = u64::from_le_bytes(text) >> (8 * unused);
    let end = out.len() + 3 + usize::from(len) - unused;
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

/// Writes the shortest digits that read back, laid out as `repr` does: exponents below 1e-4 and from 1e16 on, with a
/// sign and at least two digits.
fn write_shortest(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let size = value.abs();
    let fixed = size == 0.0 || (MIN_FIXED..1e16).contains(&size);
    // An exponent is the last thing in a text, and has no more than four characters.
    let end = &text.as_bytes()[text.len().saturating_sub(5)..];
    if fixed && !end.contains(&b'e') {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let (digits, exponent) = significant(text);
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let layout = if fixed {
        in_full(&digits, exponent)
    } else {
        with_exponent(&digits, exponent)
    };
    out.extend_from_slice(layout.as_bytes());
}

/// The digits of a number without leading and trailing zeros, and the power of ten of the first of them.
fn significant(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let power = exponent + i32::try_from(whole.len()).unwrap_or(0)
        - 1
        - i32::try_from(leading).unwrap_or(0);
    (all.trim_matches('0').to_owned(), power)
}

fn with_exponent(digits: &str, power: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if power < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{:02}", power.abs())
}

fn in_full(digits: &str, power: i32) -> String {
    match usize::try_from(power) {
        Ok(power) if digits.len() > power + 1 => {
            let (whole, fraction) = digits.split_at(power + 1);
            format!("{whole}.{fraction}")
        }
        Ok(power) => format!("{digits:0<width$}.0", width = power + 1),
        Err(_) => format!(
            "0.{}{digits}",
            "0".repeat(power.unsigned_abs() as usize - 1)
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: f64, decimals: Option<u8>) -> String {
        let mut out = Vec::new();
        write_score(&mut out, value, decimals);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rounded_scores_look_as_in_python() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.677, "0.677"),
            (0.02, "0.02"),
            (-0.5574, "-0.5574"),
            (12.5, "12.5"),
            (-1.0, "-1.0"),
        ] {
            assert_eq!(written(value, Some(4)), text);
            assert_eq!(written(value, None), text);
        }
        assert_eq!(written(7.0, Some(0)), "7.0");
    }

    #[test]
    fn a_score_that_is_not_rounded_as_announced_is_written_in_full() {
        assert_eq!(written(0.123_45, Some(3)), "0.12345");
        assert_eq!(written(0.1 + 0.2, Some(3)), "0.30000000000000004");
        assert_eq!(written(0.000_01, Some(5)), "1e-05");
        assert_eq!(written(f64::MAX, Some(3)), "1.7976931348623157e+308");
    }

    /// The expected values are what `repr` says in Python 3.11.
    #[test]
    fn any_double_looks_as_in_python() {
        for (value, text) in [
            (1e-5, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (5e-324, "5e-324"),
            (0.000_1, "0.0001"),
            (0.000_123_456, "0.000123456"),
            (123_456.789, "123456.789"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (1e22, "1e+22"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(written(value, None), text);
        }
    }

    #[test]
    fn what_is_not_a_number_is_null() {
        assert_eq!(written(f64::NAN, Some(3)), "null");
        assert_eq!(written(f64::NEG_INFINITY, None), "null");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(bits: u64, decimals in prop::option::of(0_u8..12)) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = written(value, decimals);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            prop_assert!(serde_json::from_str::<f64>(&text).is_ok(), "{}", text);
        }

        #[test]
        fn both_ways_to_write_a_rounded_score_agree(thousandths in -1_000_000_i32..1_000_000, decimals in 3_u8..9) {
            let value = f64::from(thousandths) / 1000.0;
            prop_assert_eq!(written(value, Some(decimals)), written(value, None));
        }
    }
}
