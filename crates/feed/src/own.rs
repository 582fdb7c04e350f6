//! Recognizing what this program wrote, so that it is not read by mistake.

use moodring_record::{HEAD_LEN, OwnOutput};

use crate::Input;
use crate::stream::Stream;

/// As much of a file as its first line takes in most cases.
const SHORT_HEAD: usize = 16 << 10;

/// Returns what an input holds that this program wrote. `None` for all other content, and for what cannot be read.
///
/// To be asked of files; from a pipe it would take what is read.
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
