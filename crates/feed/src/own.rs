//! Recognizes files that this program wrote, so that they are not scored by mistake.

use moodring_record::{HEAD_LEN, OwnOutput};

use crate::Input;
use crate::stream::Stream;

/// How much of a file is read: longer than most first lines.
const SHORT_HEAD: usize = 16 << 10;

/// Returns which file of this program the input is. `None` for any other content, and if it cannot be read.
///
/// Only for files: bytes that are read from a pipe would be lost.
#[must_use]
pub fn own_output(input: &Input) -> Option<OwnOutput> {
    let format = input.format?;
    let mut stream = Stream::open(input).ok()?;
    for len in [SHORT_HEAD, HEAD_LEN] {
        stream.fill(len).ok()?;
        let head = &stream.buffer[..];
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let head = head.trim_ascii_start();
        let end = head.iter().position(|&byte| byte == b'\n');
        if end.is_some() || stream.ended() {
            return OwnOutput::recognize(format, &head[..end.unwrap_or(head.len())]);
        }
    }
    None
}
