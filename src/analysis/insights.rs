//! What a query of Logs Insights found: its rows by column, with moments and numbers read where the query says which columns hold them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::pull_logs::USD_PER_GB_SCANNED;
use crate::model::Timestamp;
use crate::sources::aws::logs::{QueryResults, QueryRow};
use crate::sources::insights::{Column, ColumnKind};

/// The field that names the event behind a row; no answer to anything.
const POINTER: &str = "@ptr";
/// The event's time, a moment in every query.
const TIMESTAMP: &str = "@timestamp";

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// The query's name, or its file's; `-` for standard input.
    pub query: String,
    /// The question that it answers; `None` for a query without a head.
    pub question: Option<String>,
    /// The text that the service got.
    pub text: String,
    /// The state machine whose log group and executions were looked at, where one was named.
    pub state_machine: Option<String>,
    /// The log groups: names, or ARNs.
    pub log_groups: Vec<String>,
    /// The first moment.
    pub since: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// The most rows that were wanted.
    pub limit: u32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InsightsAnswer {
    /// `stepscope.queries.run/1`.
    pub schema: &'static str,
    /// What was asked.
    #[serde(flatten)]
    pub asked: Asked,
    /// Whether there are as many rows as were wanted, so that more may have been left out.
    pub is_full: bool,
    /// What the service has read for it.
    pub scanned: Scanned,
    /// The columns, in their order.
    pub columns: Vec<String>,
    /// The rows; each has a cell for each column.
    #[serde(skip)]
    pub rows: Vec<Vec<Cell>>,
    /// What the columns hold.
    #[serde(skip)]
    pub kinds: Vec<ColumnKind>,
}

/// What the service has read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scanned {
    /// Bytes, which are charged.
    pub bytes: u64,
    /// Log events.
    pub records: u64,
    /// Those that the query wanted.
    pub matched: u64,
    /// List price in US dollars, in us-east-1.
    pub usd: f64,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// The row does not have the field.
    Nothing,
    /// Anything.
    Text(String),
    /// A number, in the digits of the service.
    Number(serde_json::Number),
    /// A moment.
    Time(Timestamp),
}

/// Puts what was found into columns: those that the query's head names, in its order, else as the rows have them.
///
/// A value that is not of its column's kind stays text.
pub fn answer(asked: Asked, columns: &[Column], found: &QueryResults) -> InsightsAnswer {
    let mut names: Vec<(String, ColumnKind)> = columns.iter().map(|column| (column.name.clone(), column.kind)).collect();
    for (name, _) in found.rows.iter().flat_map(|row| &row.0).filter(|(name, _)| name != POINTER) {
        if !names.iter().any(|(known, _)| known == name) {
            let kind = if name == TIMESTAMP { ColumnKind::Time } else { ColumnKind::Text };
            names.push((name.clone(), kind));
        }
    }
    let rows = found.rows.iter().map(|row| names.iter().map(|(name, kind)| cell(row, name, *kind)).collect()).collect();
    let (columns, kinds) = names.into_iter().unzip();
    let statistics = found.statistics;
    InsightsAnswer {
        schema: "stepscope.queries.run/1",
        asked,
        is_full: found.is_full,
        scanned: Scanned {
            bytes: statistics.bytes_scanned,
            records: statistics.records_scanned,
            matched: statistics.records_matched,
            usd: price(statistics.bytes_scanned),
        },
        columns,
        rows,
        kinds,
    }
}

/// The list price of what was scanned.
#[allow(clippy::cast_precision_loss, reason = "a price with more digits than anybody reads")]
pub fn price(bytes: u64) -> f64 {
    bytes as f64 / 1e9 * USD_PER_GB_SCANNED
}

fn cell(row: &QueryRow, name: &str, kind: ColumnKind) -> Cell {
    let Some(text) = row.get(name).filter(|text| !text.is_empty()) else { return Cell::Nothing };
    let read = match kind {
        ColumnKind::Text => None,
        ColumnKind::Number => text.parse().ok().map(Cell::Number),
        ColumnKind::Time => moment(text).map(Cell::Time),
    };
    read.unwrap_or_else(|| Cell::Text(text.to_owned()))
}

/// A date in UTC as the service writes it, or milliseconds since 1970, which aggregates of moments are.
fn moment(text: &str) -> Option<Timestamp> {
    let whole = text.split_once('.').filter(|(_, fraction)| fraction.chars().all(|digit| digit == '0')).map_or(text, |(whole, _)| whole);
    let milliseconds = || whole.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    // Some aggregates of moments come in the manner of 1.7951616E12.
    let with_exponent = || {
        let number: f64 = text.parse().ok().filter(|_| text.contains(['E', 'e']))?;
        #[allow(clippy::cast_possible_truncation, reason = "checked by the range of moments")]
        Timestamp::from_millisecond(number as i64).ok()
    };
    let date = || Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    milliseconds().or_else(with_exponent).or_else(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::aws::logs::QueryStatistics;

    fn asked() -> Asked {
        Asked {
            query: "errors".to_owned(),
            question: None,
            text: String::new(),
            state_machine: None,
            log_groups: Vec::new(),
            since: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
            limit: 10,
        }
    }

    fn row(fields: &[(&str, &str)]) -> QueryRow {
        QueryRow(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn column(name: &str, kind: ColumnKind) -> Column {
        Column { name: name.to_owned(), meaning: String::new(), kind }
    }

    fn of(columns: &[Column], rows: Vec<QueryRow>) -> InsightsAnswer {
        answer(asked(), columns, &QueryResults { rows, ..QueryResults::default() })
    }

    #[test]
    fn columns_of_the_head_come_first_and_in_its_order() {
        let columns = [column("error", ColumnKind::Text), column("n", ColumnKind::Number)];
        let found = of(&columns, vec![row(&[("n", "3"), ("other", "x"), ("@ptr", "abc")]), row(&[("error", "Boom"), ("n", "many")])]);
        assert_eq!(found.columns, ["error", "n", "other"]);
        assert_eq!(found.rows[0], [Cell::Nothing, Cell::Number(3.into()), Cell::Text("x".to_owned())]);
        assert_eq!(found.rows[1], [Cell::Text("Boom".to_owned()), Cell::Text("many".to_owned()), Cell::Nothing]);
    }

    #[test]
    fn moments_are_read_however_the_service_writes_them() {
        let at: Timestamp = "2026-11-20T08:00:00.25Z".parse().expect("a moment");
        for text in ["2026-11-20 08:00:00.250", "1795161600250", "1795161600250.0", "1.79516160025E12"] {
            assert_eq!(of(&[column("at", ColumnKind::Time)], vec![row(&[("at", text)])]).rows[0], [Cell::Time(at)], "{text}");
        }
        let kept = of(&[column("at", ColumnKind::Time)], vec![row(&[("at", "soon"), ("@timestamp", "2026-11-20 08:00:00.250")])]);
        assert_eq!(kept.rows[0], [Cell::Text("soon".to_owned()), Cell::Time(at)]);
    }

    #[test]
    fn what_was_scanned_has_its_price() {
        let statistics = QueryStatistics { bytes_scanned: 2_000_000_000, records_scanned: 5, records_matched: 2 };
        let found = answer(asked(), &[], &QueryResults { statistics, ..QueryResults::default() });
        assert_eq!((found.scanned.records, found.scanned.matched), (5, 2));
        assert!((found.scanned.usd - 0.01).abs() < 1e-9);
    }
}
