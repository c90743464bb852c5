//! Rows of a query as a table, JSON or CSV.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::columns::{counted, fit, fit_end, width, wrapped};
use super::escape;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::store::sql::{Cell, NAMED, Rows};

/// The schema of the JSON document.
pub const SCHEMA: &str = "stepscope.query/1";

/// No column that is cut becomes narrower than this.
const NARROWEST: usize = 8;
/// Between columns.
const GAP: &str = "  ";

/// A table for people: numbers to the right, wide columns cut to `room` where there is one.
pub fn table(rows: &Rows, styles: &Styles, redactor: Redactor, room: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = rows.columns().into_iter().map(|name| shown(name, redactor)).collect();
    let mut is_number = vec![true; names.len()];
    let mut widths: Vec<usize> = names.iter().map(|name| width(name)).collect();
    let mut lines: Vec<Vec<String>> = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let mut line = Vec::with_capacity(row.len());
        for (at, cell) in row.iter().enumerate() {
            is_number[at] &= matches!(cell, Cell::Null | Cell::Integer(_) | Cell::Number(_));
            let text = shown(&text_of(cell), redactor);
            widths[at] = widths[at].max(width(&text));
            line.push(text);
        }
        lines.push(line);
    }
    if let Some(room) = room {
        shrink(&mut widths, &is_number, room);
    }
    writeln!(out, "{}", paint(styles.heading, aligned(&names, &widths, &is_number)))?;
    for line in &lines {
        writeln!(out, "{}", aligned(line, &widths, &is_number))?;
    }
    writeln!(out, "{}", paint(styles.dim, format!("({})", counted(rows.len() as u64, "row"))))
}

/// Takes from the widest columns of text until the table fits, or none may become narrower.
fn shrink(widths: &mut [usize], is_number: &[bool], room: usize) {
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    let mut over = total(widths).saturating_sub(room);
    while over > 0 {
        let cuttable = (0..widths.len()).filter(|at| !is_number[*at] && widths[*at] > NARROWEST);
        let Some(widest) = cuttable.max_by_key(|at| (widths[*at], usize::MAX - at)) else { return };
        widths[widest] -= 1;
        over -= 1;
    }
}

fn aligned(cells: &[String], widths: &[usize], is_number: &[bool]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push_str(GAP);
        }
        // ARNs differ at their ends.
        let cell = if cell.starts_with("arn:") { fit_end(cell, widths[at]) } else { fit(cell, widths[at]) };
        let padding = " ".repeat(widths[at].saturating_sub(width(&cell)));
        // Writing to a String cannot fail.
        let _ = if is_number[at] { write!(line, "{padding}{cell}") } else { write!(line, "{cell}{padding}") };
    }
    line.truncate(line.trim_end().len());
    line
}

/// One document: the columns, and a list of rows.
pub fn json(rows: &Rows, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    let columns = serde_json::to_string(&rows.columns())?;
    writeln!(out, "{{\n  \"schema\": \"{SCHEMA}\",\n  \"columns\": {},", escape::json(&columns))?;
    write!(out, "  \"rows\": [")?;
    for (number, row) in rows.iter().enumerate() {
        write!(out, "{}\n    {}", if number == 0 { "" } else { "," }, object(&rows.columns(), &row, redactor)?)?;
    }
    writeln!(out, "{}]\n}}", if rows.is_empty() { "" } else { "\n  " })
}

/// One object a row, each on a line.
pub fn json_lines(rows: &Rows, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    for row in rows.iter() {
        writeln!(out, "{}", object(&rows.columns(), &row, redactor)?)?;
    }
    Ok(())
}

/// Comma-separated values as RFC 4180 has them, the names first; no value is an empty field.
pub fn csv(rows: &Rows, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(rows.columns())?;
    for row in rows.iter() {
        let texts = row.iter().map(|cell| match cell {
            Cell::Text(text) => redactor.apply(text).into_owned(),
            cell => text_of(cell),
        });
        writer.write_record(texts)?;
    }
    writer.flush()
}

fn shown(text: &str, redactor: Redactor) -> String {
    escape::line(&redactor.apply(text)).into_owned()
}

fn text_of(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::Moment(moment) => moment.timestamp().to_string(),
        Cell::Day(day) => day.clone(),
        Cell::List(cells) => format!("[{}]", cells.iter().map(text_of).collect::<Vec<_>>().join(", ")),
    }
}

fn object(columns: &[&str], row: &[Cell<'_>], redactor: Redactor) -> io::Result<String> {
    let text = serde_json::to_string(&Row { columns, cells: row })?;
    Ok(escape::json(&redactor.apply(&text)).into_owned())
}

struct Row<'r> {
    columns: &'r [&'r str],
    cells: &'r [Cell<'r>],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column, &Value(cell))?;
        }
        map.end()
    }
}

struct Value<'r>(&'r Cell<'r>);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::Integer(number) => match i64::try_from(*number) {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => serializer.serialize_i128(*number),
            },
            // JSON has no infinity.
            Cell::Number(number) if !number.is_finite() => serializer.serialize_unit(),
            Cell::Number(number) => serializer.serialize_f64(*number),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Moment(moment) => moment.serialize(serializer),
            Cell::Day(day) => serializer.serialize_str(day),
            Cell::List(cells) => {
                let mut list = serializer.serialize_seq(Some(cells.len()))?;
                for cell in cells {
                    list.serialize_element(&Value(cell))?;
                }
                list.end()
            }
        }
    }
}

/// The queries that come with the program.
#[derive(Debug, serde::Serialize)]
pub struct NamedList {
    /// `stepscope.query/1`.
    schema: &'static str,
    /// In the order of their names.
    queries: Vec<NamedEntry>,
}

#[derive(Debug, serde::Serialize)]
struct NamedEntry {
    name: &'static str,
    question: &'static str,
    sql: &'static str,
}

impl NamedList {
    /// All of them.
    pub fn new() -> Self {
        let queries = NAMED.iter().map(|query| NamedEntry { name: query.name, question: query.question(), sql: query.sql }).collect();
        Self { schema: SCHEMA, queries }
    }

    /// Names and questions for a screen of this width.
    pub fn text(&self, styles: &Styles, room: usize, out: &mut dyn Write) -> io::Result<()> {
        let widest = self.queries.iter().map(|query| query.name.len()).max().unwrap_or_default();
        for query in &self.queries {
            for (number, line) in wrapped(query.question, room.saturating_sub(widest + GAP.len())).iter().enumerate() {
                let name = if number == 0 { query.name } else { "" };
                writeln!(out, "{}{GAP}{line}", paint(styles.state, format!("{name:widest$}")))?;
            }
        }
        Ok(())
    }
}

impl Default for NamedList {
    fn default() -> Self {
        Self::new()
    }
}
