//! `query`: asks the tables with SQL.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::exit_code::{Exit, WrongUsage};
use super::filling::{Filling, fill};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document};
use super::settings::store_folder;
use crate::render;
use crate::store::schema::{EXECUTIONS, TABLES, table};
use crate::store::sql::{NAMED, QueryError, Rows, TableFiles, named, query};
use crate::store::{Batch, Store};

/// Ask the tables of the store with SQL
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope query 'SELECT status, COUNT(*) AS n FROM executions GROUP BY status'
  stepscope query --list
  stepscope query --named slowest-states
  stepscope query --named failing-states --show
  stepscope query --tables
  stepscope query --named retries --input executions.jsonl.gz
  stepscope query - < report.sql --output csv > report.csv

There are four tables: executions, visits, attempts, events. Queries change
nothing. The files are plain Parquet, so that other engines can be asked, too.")]
pub struct QueryArgs {
    /// The query; `-` reads it from standard input
    #[arg(value_name = "SQL", required_unless_present_any = ["named", "list", "tables"], conflicts_with_all = ["named", "list", "tables"])]
    sql: Option<String>,
    /// A query that comes with the program
    #[arg(long, value_name = "NAME", conflicts_with_all = ["list", "tables"])]
    named: Option<String>,
    /// File or folder of histories, or `-`, in place of the store; may be given several times
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = ["list", "tables", "show"])]
    input: Vec<String>,
    /// Folder or file with definitions, for histories that come without one
    #[arg(long, value_name = "DIR", requires = "input")]
    definitions: Option<PathBuf>,
    /// Show the text of the named query instead of running it
    #[arg(long, requires = "named")]
    show: bool,
    /// List the named queries with the question that each answers
    #[arg(long, conflicts_with = "tables")]
    list: bool,
    /// List the tables and their columns, or those of one table
    #[arg(long, value_name = "TABLE", num_args = 0..=1, default_missing_value = "")]
    tables: Option<String>,
}

/// Runs the query and writes its rows.
pub fn run(args: &QueryArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.list {
        return list(global, out);
    }
    if let Some(name) = &args.tables {
        return tables(name, global, out);
    }
    let sql = text_of(args)?;
    if args.show {
        write!(out, "{sql}")?;
        return Ok(Exit::Done);
    }
    if args.input.is_empty() {
        let rows = answer(&Store::open(&store_folder(global)?)?, &sql)?;
        write(&rows, global, out)?;
        return Ok(if rows.is_empty() { Exit::NothingMatched } else { Exit::Done });
    }
    if global.store.is_some() {
        return Err(WrongUsage("give either --input or --store: an answer is about one of them".to_owned()).into());
    }
    let folder = tempfile::tempdir().context("failed to make a folder for the tables")?;
    let filling =
        Filling { inputs: &args.input, definitions: args.definitions.as_deref(), rejected: Some(&folder.path().join("rejected.jsonl")) };
    let store = folder.path().join("store");
    let (_, is_whole) = fill(&filling, &store, global, words)?;
    let rows = answer(&Store::open(&store)?, &sql)?;
    write(&rows, global, out)?;
    Ok(match (is_whole, rows.is_empty()) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::NothingMatched,
        (true, false) => Exit::Done,
    })
}

fn text_of(args: &QueryArgs) -> anyhow::Result<String> {
    match (&args.named, args.sql.as_deref()) {
        (Some(name), _) => {
            let found = named(name).ok_or_else(|| {
                let near = NAMED
                    .iter()
                    .map(|query| query.name)
                    .max_by(|one, other| strsim::jaro_winkler(one, name).total_cmp(&strsim::jaro_winkler(other, name)));
                WrongUsage(format!("no query is named `{name}`; did you mean `{}`? --list shows all", near.unwrap_or_default()))
            })?;
            Ok(found.sql.to_owned())
        }
        (None, Some("-")) => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).context("failed to read the query from standard input")?;
            Ok(text)
        }
        (None, sql) => Ok(sql.unwrap_or_default().to_owned()),
    }
}

/// How often files are looked for again that were replaced while the query was planned.
const TRIES: usize = 5;

fn answer(store: &Store, sql: &str) -> anyhow::Result<Rows> {
    let mut tries = 0;
    loop {
        let batches = store.batches(None)?;
        match query(&files_of(&batches), sql) {
            Err(QueryError::Unreadable(_)) if tries < TRIES && batches != store.batches(None)? => tries += 1,
            Err(error @ (QueryError::Refused(_) | QueryError::NoQuery(_))) => return Err(WrongUsage(error.to_string()).into()),
            answer => return Ok(answer?),
        }
    }
}

fn files_of(batches: &[Batch]) -> Vec<TableFiles> {
    TABLES.into_iter().map(|table| TableFiles { table, files: batches.iter().map(|batch| batch.file(table)).collect() }).collect()
}

fn write(rows: &Rows, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        _ if global.is_csv() => render::query::csv(rows, settings.redactor, out)?,
        OutputFormat::Text => {
            // Whoever reads through a pipe wants all of it.
            let room =
                std::io::stdout().is_terminal().then(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).flatten();
            render::query::table(rows, &settings.styles, settings.redactor, room, out)?;
        }
        OutputFormat::Json => render::query::json(rows, settings.redactor, out)?,
        OutputFormat::Jsonl => render::query::json_lines(rows, settings.redactor, out)?,
    }
    Ok(())
}

fn list(global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = TextSettings::resolve(global);
    let list = render::query::NamedList::new();
    match global.output {
        OutputFormat::Text => list.text(&settings.styles, settings.width, out)?,
        format => document(&list, format, settings.redactor, out)?,
    }
    Ok(Exit::Done)
}

fn tables(name: &str, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let chosen = match (name, table(name)) {
        ("", _) => TABLES.to_vec(),
        (_, Some(table)) => vec![table],
        (name, None) => {
            let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
            return Err(WrongUsage(format!(
                "there is no table `{name}`; there are {} (such as --tables {})",
                names.join(", "),
                EXECUTIONS.name
            ))
            .into());
        }
    };
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::tables::text(&chosen, &settings.styles, settings.width, out)?,
        format => document(&render::tables::listed(&chosen), format, settings.redactor, out)?,
    }
    Ok(Exit::Done)
}
