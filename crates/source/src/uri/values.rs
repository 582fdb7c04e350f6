//! The values of options.

use moodring_codec::Compression;
use moodring_window::TimeZone;

use crate::push::MAX_MAX_BODY;
use crate::replay::Speed;

/// The largest record that may be asked for: what is sent between processes holds it with room to spare.
const LARGEST_RECORD: usize = 256 << 20;

/// The greatest speed of a replay, and the greatest rate of made-up posts.
const MAX_SPEED: f64 = 1e6;
const MAX_RATE: u32 = 100_000;

/// The longest name of a source, in bytes.
const LONGEST_NAME: usize = 200;

/// A name, which is shown in tables and lines.
pub(super) fn name(typed: &str) -> Result<String, String> {
    if typed.len() > LONGEST_NAME || typed.contains(char::is_control) {
        return Err(format!(
            "it must have at most {LONGEST_NAME} bytes and no control characters"
        ));
    }
    Ok(typed.to_owned())
}

/// Names of hosts, separated by commas.
pub(super) fn hosts(typed: &str) -> Result<Vec<String>, &'static str> {
    let hosts: Vec<_> = typed.split(',').map(str::to_owned).collect();
    let is_host = |host: &String| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        !host.is_empty() && host.bytes().all(is_part)
    };
    if hosts.iter().all(is_host) {
        Ok(hosts)
    } else {
        Err("it must be names of hosts, separated by commas, without ports")
    }
}

/// The largest body of a request.
pub(super) fn body_limit(typed: &str) -> Result<usize, String> {
    bytes(typed)
        .filter(|bytes| (1..=MAX_MAX_BODY).contains(bytes))
        .ok_or_else(|| {
            format!(
                "it must be a number of bytes from 1 to {}M, such as 512K",
                MAX_MAX_BODY >> 20
            )
        })
}

pub(super) fn yes_or_no(typed: &str) -> Result<bool, &'static str> {
    match typed {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it must be yes or no"),
    }
}

pub(super) fn speed(typed: &str) -> Result<Speed, String> {
    if typed == "max" {
        return Ok(Speed::Max);
    }
    let speed = typed.parse().ok();
    let speed = speed.filter(|speed: &f64| *speed > 0.0 && *speed <= MAX_SPEED);
    speed
        .map(Speed::Times)
        .ok_or_else(|| format!("it must be max, or a number above 0 and up to {MAX_SPEED}"))
}

pub(super) fn order(typed: &str) -> Result<bool, &'static str> {
    match typed {
        "time" => Ok(false),
        "file" => Ok(true),
        _ => Err("it must be time or file"),
    }
}

pub(super) fn rate(typed: &str) -> Result<u32, String> {
    let rate = typed
        .parse()
        .ok()
        .filter(|rate| (1..=MAX_RATE).contains(rate));
    rate.ok_or_else(|| format!("it must be a number from 1 to {MAX_RATE}"))
}

/// `None` is to find out.
pub(super) fn compression(typed: &str) -> Result<Option<Compression>, &'static str> {
    match typed {
        "auto" => Ok(None),
        "none" => Ok(Some(Compression::None)),
        "gzip" | "gz" => Ok(Some(Compression::Gzip)),
        "zstd" | "zst" => Ok(Some(Compression::Zstd)),
        _ => Err("it must be auto, none, gzip or zstd"),
    }
}

pub(super) fn record_limit(typed: &str) -> Result<usize, &'static str> {
    bytes(typed)
        .filter(|bytes| (2..=LARGEST_RECORD).contains(bytes))
        .ok_or("it must be a number of bytes from 2 to 256M, such as 512K")
}

/// A number of bytes, perhaps with a unit of 1024.
fn bytes(typed: &str) -> Option<usize> {
    let (digits, shift) = match typed.as_bytes().last()? {
        b'K' | b'k' => (&typed[..typed.len() - 1], 10),
        b'M' | b'm' => (&typed[..typed.len() - 1], 20),
        _ => (typed, 0),
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

pub(super) fn time_zone(typed: &str) -> Result<TimeZone, &'static str> {
    TimeZone::get(typed)
        .map_err(|_| "there is no such time zone; write its name, such as Europe/Berlin or UTC")
}
