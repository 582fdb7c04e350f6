//! What is in a state file, as plain data. Times are microseconds since 1970-01-01T00:00:00Z; what is called bytes here has
//! a meaning only for the caller.

/// Numbers a series from 1: the windows that were made by the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub i64);

/// A series of windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its number.
    pub id: SeriesId,
    /// What all its windows have in common: two runs with the same one continue the same series.
    pub fingerprint: String,
    /// The rules in a form that a person and the query can read (JSON).
    pub rules: String,
    /// When it began, by the clock.
    pub began: i64,
    /// The stream's watermark at the last commit.
    pub watermark: Option<i64>,
    /// Whether another series has followed it. Its panes after the watermark are final and partial.
    pub is_closed: bool,
}

/// A source, known by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its name.
    pub name: String,
    /// Everything before it is counted (bytes of the caller).
    pub position: Option<Vec<u8>>,
    /// What became of its posts (bytes of the caller).
    pub books: Vec<u8>,
    /// The greatest event time that was folded.
    pub greatest: Option<i64>,
    /// What it was doing, for those who look at the file (JSON).
    pub status: String,
}

/// A group of posts in one of a series' dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Its number, unique within the series.
    pub id: u32,
    /// The index of its dimension in the rules.
    pub dimension: u16,
    /// Its value; none for the group of all values for which there was no room.
    pub value: Option<String>,
}

/// A pane of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaneRow {
    /// How many panes of the series' grid it holds: 1, or more once it was rolled up.
    pub factor: i64,
    /// Its number in a grid of panes that wide.
    pub pane: i64,
    /// The group.
    pub group: u32,
    /// What is known of its posts (bytes of the caller).
    pub cell: Vec<u8>,
}

/// The length of a file that is written beside the state: what is beyond it was not committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The role of the file, such as `late` or `out`.
    pub role: String,
    /// Its path, as bytes of the system.
    pub path: Vec<u8>,
    /// How many of its bytes count.
    pub len: u64,
}

/// An alert that was raised or cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// The end of the window that decided it.
    pub at: i64,
    /// The rule, as the user wrote it.
    pub rule: String,
    /// All about it (JSON).
    pub body: String,
    /// Whether it must be delivered to the webhook.
    pub is_due: bool,
}

/// Posts of a source that were lost before they came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// The source.
    pub source: String,
    /// When it began and ended, by the clock.
    pub from: i64,
    /// See [`from`](Self::from).
    pub to: i64,
    /// What is known about it.
    pub why: String,
}

/// Everything that changed since the last commit: one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// The stream's watermark.
    pub watermark: Option<i64>,
    /// The sources that changed.
    pub sources: Vec<SourceRow>,
    /// The groups that are new.
    pub groups: Vec<GroupRow>,
    /// The panes that changed, whole.
    pub panes: Vec<PaneRow>,
    /// The ids that are new in each scope, from the oldest to the youngest. Hashes.
    pub ids: Vec<(String, Vec<u64>)>,
    /// The files that grew.
    pub files: Vec<FileRow>,
    /// Alerts that were raised or cleared.
    pub alerts: Vec<AlertRow>,
    /// The state of the alert rules, by rule (bytes of the caller).
    pub alert_states: Vec<(String, Vec<u8>)>,
    /// Gaps that were found.
    pub gaps: Vec<GapRow>,
}

/// What a state that was opened goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    /// The state is new.
    New,
    /// The series of the last run is continued.
    Continued,
    /// A new series follows this one, which had another fingerprint and is closed now.
    After(Series),
}

/// What a run that continues needs of those before it, except the panes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// How the present series came about.
    pub beginning: Beginning,
    /// The present series. One that has just begun has no watermark yet; the one before it may have.
    pub series: Series,
    /// All sources there ever were.
    pub sources: Vec<SourceRow>,
    /// The groups of the present series, by their numbers.
    pub groups: Vec<GroupRow>,
    /// The last ids of each scope, from the oldest to the youngest: at least as many as are kept, if there were that many.
    pub ids: Vec<(String, Vec<u64>)>,
    /// The files and how much of them counts.
    pub files: Vec<FileRow>,
    /// The state of the alert rules of the present series.
    pub alert_states: Vec<(String, Vec<u8>)>,
}

/// Which panes of a width a series has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many panes of the series' grid each of them holds.
    pub factor: i64,
    /// The number of the first one.
    pub first: i64,
    /// The number of the last one.
    pub last: i64,
}

/// An alert in the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAlert {
    /// Its number. It is never given again.
    pub id: i64,
    /// The series whose windows decided it.
    pub series: SeriesId,
    /// When, why, and all about it.
    pub alert: AlertRow,
    /// What became of its delivery.
    pub delivery: Delivery,
}

/// What became of the delivery of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Nobody is to be told.
    None,
    /// It is to be delivered.
    Due {
        /// How often that was tried.
        attempts: u32,
        /// When to try again, by the clock.
        next: i64,
        /// Why the last attempt failed.
        why: Option<String>,
    },
    /// The webhook has it.
    Delivered,
    /// It will not be tried again.
    GivenUp {
        /// Why the last attempt failed.
        why: String,
    },
}

/// A gap in the state: one, or several that were put together as there were too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGap {
    /// The gap; of several, from the first to the last, with what is known of the last.
    pub gap: GapRow,
    /// How many it stands for.
    pub count: u64,
}
