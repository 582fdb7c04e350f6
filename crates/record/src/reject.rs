//! The rejects file.

/// Appends one line of the rejects file.
pub fn write_reject(
    out: &mut Vec<u8>,
    source: &str,
    line: Option<u64>,
    offset: u64,
    reason: &str,
    raw: &[u8],
) {
    let _ = (source, line, offset, reason);
    out.extend_from_slice(raw);
    out.push(b'\n');
}
