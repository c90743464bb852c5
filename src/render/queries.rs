//! Saved queries of Logs Insights, and the rows that they find, as text, JSON and CSV.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::columns::wrapped;
use super::escape;
use super::grid::{GAP, Grid};
use super::ingest::bytes;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::insights::{Cell, InsightsAnswer, Scanned};
use crate::sources::insights::{ColumnKind, InsightsQuery, SAVED};

/// The list of the queries that come with the program.
#[derive(Debug, Serialize)]
pub struct SavedList {
    /// `stepscope.queries/1`.
    schema: &'static str,
    /// In the order of their names.
    queries: Vec<Described>,
}

/// A query, ready to be pasted into the console.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// `stepscope.queries.show/1`.
    schema: &'static str,
    #[serde(flatten)]
    described: Described,
    text: String,
}

/// What the head of a query says.
#[derive(Debug, Serialize)]
struct Described {
    name: String,
    question: String,
    notes: String,
    level: String,
    parameters: Vec<Parameter>,
    columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
struct Parameter {
    name: String,
    meaning: String,
    default: Option<String>,
}

#[derive(Debug, Serialize)]
struct Column {
    name: String,
    meaning: String,
    kind: ColumnKind,
}

impl Described {
    fn new(name: &str, query: InsightsQuery) -> Self {
        let parameters = query.parameters.into_iter();
        let columns = query.columns.into_iter();
        Self {
            name: name.to_owned(),
            question: query.question,
            notes: query.notes,
            level: query.level,
            parameters: parameters
                .map(|parameter| Parameter { name: parameter.name, meaning: parameter.meaning, default: parameter.default })
                .collect(),
            columns: columns.map(|column| Column { name: column.name, meaning: column.meaning, kind: column.kind }).collect(),
        }
    }
}

impl SavedList {
    /// All of them.
    pub fn new() -> Self {
        let described = |saved: &crate::sources::insights::Saved| Described::new(saved.name, InsightsQuery::read(saved.text));
        Self { schema: "stepscope.queries/1", queries: SAVED.iter().map(described).collect() }
    }

    /// Names, levels and questions for a screen of this width.
    pub fn text(&self, styles: &Styles, room: usize, out: &mut dyn Write) -> io::Result<()> {
        // What stands behind a comma is told by `show`.
        let level = |query: &Described| query.level.split(',').next().unwrap_or_default().to_owned();
        let widest = self.queries.iter().map(|query| query.name.len()).max().unwrap_or_default();
        let beside = widest + 2 * GAP.len() + "level".len();
        writeln!(out, "{}", paint(styles.heading, format!("{:widest$}{GAP}level{GAP}question", "query")))?;
        for query in &self.queries {
            for (number, line) in wrapped(&query.question, room.saturating_sub(beside)).iter().enumerate() {
                let (name, level) = if number == 0 { (query.name.as_str(), level(query)) } else { ("", String::new()) };
                writeln!(out, "{}{GAP}{level:5}{GAP}{line}", paint(styles.state, format!("{name:widest$}")))?;
            }
        }
        let notes = [
            "",
            "level: the lowest level of logging that a query needs (FATAL < ERROR < ALL)",
            "stepscope queries show NAME                            for the console",
            "stepscope queries run NAME --state-machine MACHINE     asks it here",
        ];
        notes.iter().try_for_each(|note| writeln!(out, "{}", paint(styles.dim, note)))
    }
}

impl Default for SavedList {
    fn default() -> Self {
        Self::new()
    }
}

impl Shown {
    /// A query by its name, with the text that was made of it.
    pub fn new(name: &str, query: InsightsQuery, text: String) -> Self {
        Self { schema: "stepscope.queries.show/1", described: Described::new(name, query), text }
    }
}

/// A table for people: numbers to the right, wide columns cut to `room` where there is one.
pub fn table(answer: &InsightsAnswer, styles: &Styles, redactor: Redactor, room: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let shown = |text: &str| escape::line(&redactor.apply(text)).into_owned();
    let lines: Vec<Vec<String>> = answer.rows.iter().map(|row| row.iter().map(|cell| shown(&text_of(cell))).collect()).collect();
    let grid = Grid {
        names: answer.columns.iter().map(|name| shown(name)).collect(),
        is_number: (0..answer.columns.len()).map(|column| is_number(answer, column)).collect(),
        lines,
    };
    grid.write(styles, room, out)
}

fn is_number(answer: &InsightsAnswer, column: usize) -> bool {
    let is_one = |cell: &Cell| match cell {
        Cell::Nothing | Cell::Number(_) => true,
        Cell::Text(text) => answer.kinds[column] == ColumnKind::Text && text.parse::<f64>().is_ok(),
        Cell::Time(_) => false,
    };
    let mut cells = answer.rows.iter().map(|row| &row[column]);
    answer.rows.iter().any(|row| row[column] != Cell::Nothing) && cells.all(is_one)
}

/// One document: what was asked, what was scanned, columns and rows.
pub fn json(answer: &InsightsAnswer, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        answer: &'a InsightsAnswer,
        rows: Vec<Row<'a>>,
    }
    let rows = answer.rows.iter().map(|cells| Row { columns: &answer.columns, cells }).collect();
    let text = serde_json::to_string_pretty(&Document { answer, rows })?;
    writeln!(out, "{}", escape::json(&redactor.apply(&text)))
}

/// One object a row, each on a line.
pub fn json_lines(answer: &InsightsAnswer, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    for cells in &answer.rows {
        let text = serde_json::to_string(&Row { columns: &answer.columns, cells })?;
        writeln!(out, "{}", escape::json(&redactor.apply(&text)))?;
    }
    Ok(())
}

/// Comma-separated values as RFC 4180 has them, the names first; no value is an empty field.
pub fn csv(answer: &InsightsAnswer, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    // A row that has no column at all is no row of this format.
    if answer.columns.is_empty() {
        return Ok(());
    }
    writer.write_record(&answer.columns)?;
    for row in &answer.rows {
        writer.write_record(row.iter().map(|cell| redactor.apply(&text_of(cell)).into_owned()))?;
    }
    writer.flush()
}

/// What an answer cost, for people: `0 B scanned`, `1.2 GB scanned (3400 records, about $0.0060)`.
pub fn scanned(scanned: &Scanned) -> String {
    let size = bytes(scanned.bytes);
    if scanned.records == 0 {
        format!("{size} scanned")
    } else {
        format!("{size} scanned ({} records, {})", scanned.records, usd(scanned.usd))
    }
}

/// Amounts that nobody minds are not told to the last digit.
fn usd(amount: f64) -> String {
    if amount < 0.01 { "less than $0.01".to_owned() } else { format!("about ${amount:.2}") }
}

fn text_of(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(moment) => moment.to_string(),
    }
}

struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column, cell)?;
        }
        map.end()
    }
}
