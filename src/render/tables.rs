//! The tables of the store and their columns: on the screen, and as the page `docs/tables.md`.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::{width, wrapped};
use super::styles::{Styles, paint};
use crate::store::schema::{Column, Kind, TABLES, Table, Weight};

/// What stands above the tables on the page.
const INTRODUCTION: &str = "# Tables

<!-- Made from src/store/schema.rs; tests/tables_document.rs tells how to make it anew. -->

The store holds four tables of Parquet files, which any engine reads as they are:
`<store>/<table>/day=2026-11-20/<batch>.parquet`. `stepscope query` asks them with SQL, and `stepscope query --tables` shows this list.

`day`, the day on which the execution started (UTC), is a column of every table; engines take it from the folders' names (Hive
partitions), and a query with `WHERE day = …` reads those folders only. What a column is named it stays named; later versions add columns.

| type | in Parquet | values |
|---|---|---|
| word | string with a dictionary | few different ones |
| text | string | |
| integer | 64 bits with sign | |
| milliseconds | double | with a fraction |
| moment | timestamp in microseconds, UTC | |
| flag | boolean | |

Columns marked † are large; a scan that does not name them does not read them. Columns marked * always have a value.
";

/// The page `docs/tables.md`.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in TABLES {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## `{}`\n\n{}\n\n| column | type | holds |\n|---|---|---|\n", table.name, table.meaning);
        for column in table.columns {
            let marks = [(column.required, " *"), (column.weight == Weight::Heavy, " †")];
            let marks: String = marks.iter().filter(|(is_marked, _)| *is_marked).map(|(_, mark)| *mark).collect();
            let meaning = column.meaning.replace('|', "\\|");
            let _ = writeln!(page, "| `{}`{marks} | {} | {meaning} |", column.name, kind(column.kind));
        }
    }
    page
}

/// The tables for a screen of this width.
pub fn text(tables: &[&Table], styles: &Styles, room: usize, out: &mut dyn Write) -> io::Result<()> {
    for (number, table) in tables.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", paint(styles.heading, table.name))?;
        for line in wrapped(table.meaning, room) {
            writeln!(out, "{}", paint(styles.dim, line))?;
        }
        let widest = table.columns.iter().map(|column| width(column.name)).max().unwrap_or_default();
        for column in table.columns {
            one(column, widest, styles, room, out)?;
        }
    }
    Ok(())
}

fn one(column: &Column, widest: usize, styles: &Styles, room: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = 2 + widest + 2 + KIND_WIDTH + 2;
    let meaning = wrapped(&column.meaning.replace('`', ""), room.saturating_sub(indent));
    for (number, line) in meaning.iter().enumerate() {
        if number == 0 {
            let kind = format!("{:KIND_WIDTH$}", kind(column.kind));
            writeln!(out, "  {:widest$}  {}  {line}", paint(styles.state, column.name), paint(styles.dim, kind))?;
        } else {
            writeln!(out, "{:indent$}{line}", "")?;
        }
    }
    Ok(())
}

/// The longest name of a kind.
const KIND_WIDTH: usize = "milliseconds".len();

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Word => "word",
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Milliseconds => "milliseconds",
        Kind::Moment => "moment",
        Kind::Flag => "flag",
    }
}

/// The tables as JSON has them.
#[derive(Debug, serde::Serialize)]
pub struct Listed {
    /// `stepscope.query/1`.
    schema: &'static str,
    tables: Vec<ListedTable>,
}

#[derive(Debug, serde::Serialize)]
struct ListedTable {
    name: &'static str,
    meaning: &'static str,
    columns: Vec<ListedColumn>,
}

#[derive(Debug, serde::Serialize)]
struct ListedColumn {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    large: bool,
    meaning: &'static str,
}

/// The tables for a script.
pub fn listed(tables: &[&'static Table]) -> Listed {
    let column = |column: &Column| ListedColumn {
        name: column.name,
        kind: kind(column.kind),
        required: column.required,
        large: column.weight == Weight::Heavy,
        meaning: column.meaning,
    };
    let table = |table: &&'static Table| ListedTable {
        name: table.name,
        meaning: table.meaning,
        columns: table.columns.iter().map(column).collect(),
    };
    Listed { schema: super::query::SCHEMA, tables: tables.iter().map(table).collect() }
}
