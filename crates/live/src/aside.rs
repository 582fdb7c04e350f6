//! What is kept of posts beside the windows: lines of JSON for the late, the malformed, and those on which workers died,
//! and the scored posts themselves.

use moodring_job::{LiveReport, Reject, Row};
use moodring_pool::Quarantined;
use moodring_window::Timestamp;
use serde_json::json;

/// The kinds of posts that are kept beside the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Those that came too late for their window.
    Late,
    /// Malformed records.
    Rejects,
    /// Records on which workers died.
    Quarantine,
    /// All scored posts.
    Out,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Late, Self::Rejects, Self::Quarantine, Self::Out];

    /// What it is called in a state file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Rejects => "rejects",
            Self::Quarantine => "quarantine",
            Self::Out => "out",
        }
    }
}

/// Lines that wait to be written, of the roles that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aside {
    lines: [Option<Vec<u8>>; 4],
}

impl Aside {
    /// Keeps lines of these roles only.
    #[must_use]
    pub fn keeping(roles: &[Role]) -> Self {
        let mut aside = Self::default();
        for &role in roles {
            aside.lines[role as usize] = Some(Vec::new());
        }
        aside
    }

    /// The lines of a role that wait.
    #[must_use]
    pub fn lines(&self, role: Role) -> &[u8] {
        self.lines[role as usize].as_deref().unwrap_or_default()
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.iter().flatten().map(Vec::len).sum()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes what waits, and keeps the roles.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let lines = self.lines.each_mut();
        Self {
            lines: lines.map(|lines| lines.as_mut().map(std::mem::take)),
        }
    }

    pub(crate) fn late(&mut self, source: &str, row: &Row<'_>, watermark: Option<Timestamp>) {
        let by = watermark.map_or(0, |it| it.as_micros() - row.time.as_micros());
        if let Some(lines) = &mut self.lines[Role::Late as usize] {
            let line = json!({
                "source": source,
                "id": row.id,
                "time": row.time.to_string(),
                "late_by": seconds(by),
                "score": seconds(row.score.millionths().into()),
                "text": row.text,
            });
            lines.extend_from_slice(line.to_string().as_bytes());
            lines.push(b'\n');
        }
    }

    pub(crate) fn reject(&mut self, source: &str, reject: &Reject) {
        if let Some(lines) = &mut self.lines[Role::Rejects as usize] {
            reject.write(lines, source, None);
        }
    }

    pub(crate) fn quarantine(
        &mut self,
        source: &str,
        record: &Reject,
        cause: Option<&Quarantined>,
    ) {
        if let Some(lines) = &mut self.lines[Role::Quarantine as usize] {
            match cause {
                Some(cause) => record.write_quarantined(lines, source, None, cause),
                None => record.write(lines, source, None),
            }
        }
    }

    /// Keeps the rendered record of a row, if the workers rendered any.
    pub(crate) fn scored(&mut self, report: &LiveReport<'_>, at: usize) {
        let end = report.ends.get(at).map(|end| *end as usize);
        let start = at.checked_sub(1).and_then(|at| report.ends.get(at));
        let start = start.map_or(0, |start| *start as usize);
        let record = end.and_then(|end| report.rendered.get(start..end));
        if let (Some(lines), Some(record)) = (&mut self.lines[Role::Out as usize], record) {
            lines.extend_from_slice(record);
        }
    }
}

/// Millionths as a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "six decimals are kept far beyond any age"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
impl Aside {
    /// One that keeps lines of a role, and has these.
    pub(crate) fn with_lines(role: Role, lines: &str) -> Self {
        let mut aside = Self::keeping(&[role]);
        aside.lines[role as usize] = Some(lines.as_bytes().to_vec());
        aside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_can_be_restored_whatever_its_bytes_are() {
        let mut aside = Aside::keeping(&[Role::Rejects]);
        let reject = Reject {
            offset: 41,
            line: 0,
            reason: "not UTF-8".to_owned(),
            kind: None,
            raw: b"n\xe9".to_vec(),
            len: None,
            quote_line: None,
        };
        aside.reject("push:", &reject);
        let line = r#"{"source":"push:","offset":41,"reason":"not UTF-8","raw_base64":"buk="}"#;
        let lines = String::from_utf8_lossy(aside.lines(Role::Rejects));
        assert_eq!(lines, format!("{line}\n"));
    }
}
