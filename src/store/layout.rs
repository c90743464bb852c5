//! Where everything stands in a store: days, batches, their files, and the folders of the writers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::decode::BatchPaths;
use super::schema::{self, DAY, Table};
use crate::model::{Details, ExecutionFacts, History, HistoryEvent, Micros, Timestamp};

/// The version of the layout and of the tables.
pub const VERSION: u32 = schema::VERSION;

/// The file that makes a folder a store.
pub(super) const MARKER: &str = "stepscope.json";
/// Locked while something is committed or cleaned up.
pub(super) const LOCK: &str = ".lock";
/// Holds a folder for each writer at work.
pub(super) const STAGING: &str = ".staging";
/// Holds what a commit is about to replace.
pub(super) const INTENTS: &str = ".replaced";
/// Holds the SHA-256 sums of each batch's files.
pub(super) const SUMS: &str = ".checksums";
/// Where `ingest` puts records that it can't read.
pub const REJECTED: &str = ".rejected";

/// Holds a lock for each account and region that somebody pulls.
pub(super) const PULLING: &str = ".pulling";

/// Where `store verify` puts damaged batches when it is asked to.
pub const DAMAGED: &str = ".damaged";

/// What Hive calls the partition of rows that have no value for it.
const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition that an execution's rows stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Day {
    /// A day in UTC.
    Date(Date),
    /// Of executions that don't say when they started.
    Unknown,
}

impl Day {
    /// The day on which an execution started. Where the history of a known execution lacks its beginning that is not told by its other
    /// events: a sight that has the beginning may be of an earlier day, and is to take the place of this one.
    pub fn of(facts: &ExecutionFacts<'_>, history: &History) -> Self {
        let begins = |event: &HistoryEvent| matches!(event.details, Details::ExecutionStarted(_)) && event.timestamp.is_some();
        // A bare history is known by its first event, and so always of the same day.
        let is_known = history.header.arn.is_none() || history.header.start.is_some() || history.events.first().is_some_and(begins);
        facts.start.filter(|_| is_known).map(Micros::timestamp).map_or(Self::Unknown, Self::containing)
    }

    /// The day of a moment.
    pub fn containing(moment: Timestamp) -> Self {
        let date = moment.to_zoned(TimeZone::UTC).date();
        if date.year() < 0 { Self::Unknown } else { Self::Date(date) }
    }

    /// The day that a folder such as `day=2026-11-20` stands for.
    pub fn from_folder(name: &str) -> Option<Self> {
        let value = name.strip_prefix(DAY)?.strip_prefix('=')?;
        if value == NO_DAY {
            return Some(Self::Unknown);
        }
        let date: Date = value.parse().ok()?;
        Some(Self::Date(date)).filter(|day| day.to_string() == value)
    }

    /// The name of its folder in each table.
    pub fn folder(self) -> String {
        format!("{DAY}={self}")
    }
}

/// As the partition's value.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{date}"),
            Self::Unknown => f.write_str(NO_DAY),
        }
    }
}

/// The name of a batch: when its writer started, which writer it was, and the how-many-eth of its batches.
///
/// `0199a4c2f3b1-5f3a9c02-0007`; names sort by time. Executions that are not closed stand in batches of their own, which end in
/// `-open`: they will be replaced, and the closed ones beside them need not be written again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchName(Arc<str>);

impl BatchName {
    pub(super) fn new(started: Timestamp, writer: u32, number: u32, is_open: bool) -> Self {
        let open = if is_open { "-open" } else { "" };
        Self(format!("{:012x}-{writer:08x}-{number:04x}{open}", started.as_millisecond().max(0)).into())
    }

    /// `None` for what no writer would have called a batch.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_suffix("-open").unwrap_or(text).split('-').collect();
        let is_number = |text: &str, digits: usize| {
            text.len() >= digits && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let [time, writer, number] = parts[..] else { return None };
        (is_number(time, 12) && is_number(writer, 8) && is_number(number, 4)).then(|| Self(text.into()))
    }

    /// The name of a file of it, such as `visits/day=…/<name>.parquet`.
    pub(super) fn from_file(name: &str) -> Option<Self> {
        Self::parse(name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".sha256"))?)
    }

    /// Whether it holds executions that are not closed.
    pub fn is_open(&self) -> bool {
        self.0.ends_with("-open")
    }

    /// As the files are called, without `.parquet`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BatchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Executions of one day that were committed together: one file in each table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Batch {
    /// The partition.
    pub day: Day,
    /// The same in each table.
    pub name: BatchName,
    pub(super) root: Arc<Path>,
}

impl Batch {
    /// Its file in this table.
    pub fn file(&self, table: &Table) -> PathBuf {
        self.root.join(table.name).join(self.day.folder()).join(format!("{}.parquet", self.name))
    }

    /// Its file in `executions`; while it is there the batch is.
    pub fn executions(&self) -> PathBuf {
        self.file(&schema::EXECUTIONS)
    }

    /// Its file in `visits`.
    pub fn visits(&self) -> PathBuf {
        self.file(&schema::VISITS)
    }

    /// Its file in `attempts`.
    pub fn attempts(&self) -> PathBuf {
        self.file(&schema::ATTEMPTS)
    }

    /// Its file in `events`.
    pub fn events(&self) -> PathBuf {
        self.file(&schema::EVENTS)
    }

    /// All of them.
    pub fn paths(&self) -> BatchPaths {
        BatchPaths { executions: self.executions(), visits: self.visits(), attempts: self.attempts(), events: self.events() }
    }

    /// The SHA-256 sums of its files, as `sha256sum --check` reads them in the store's folder.
    pub fn checksums(&self) -> PathBuf {
        self.root.join(SUMS).join(self.day.folder()).join(format!("{}.sha256", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_what_its_folder_says() {
        let moment: Timestamp = "2026-11-20T23:59:59.999Z".parse().expect("a moment");
        let day = Day::containing(moment);
        assert_eq!(day.folder(), "day=2026-11-20");
        assert_eq!(Day::from_folder("day=2026-11-20"), Some(day));
        assert_eq!(Day::from_folder("day=__HIVE_DEFAULT_PARTITION__"), Some(Day::Unknown));
        for other in ["2026-11-20", "day=", "day=2026-11-20T00", "day=20261120", "hour=3", ".tmp"] {
            assert_eq!(Day::from_folder(other), None, "{other}");
        }
        assert!(day < Day::Unknown);
    }

    #[test]
    fn names_of_batches_sort_by_time_and_are_not_mistaken() {
        let moment = |text: &str| text.parse::<Timestamp>().expect("a moment");
        let early = BatchName::new(moment("2026-11-20T08:00:00Z"), 0xffff_ffff, 9, false);
        let late = BatchName::new(moment("2026-11-20T08:00:00.001Z"), 1, 0, true);
        assert!(early < late);
        assert!(late.is_open() && !early.is_open());
        for name in [early, late] {
            assert_eq!(BatchName::from_file(&format!("{name}.parquet")), Some(name));
        }
        for other in ["data.parquet", "part-0.parquet", "0199a4c2f3b1-5f3a9c02-0007", "0199a4c2f3b1-5F3A9C02-0007.parquet", "--.parquet"] {
            assert_eq!(BatchName::from_file(other), None, "{other}");
        }
    }
}
