//! `queries`: saved queries of CloudWatch Logs Insights: what there is, their texts, their answers.

mod ask;
mod group;

use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document};
use crate::render;
use crate::render::queries::{SavedList, Shown};
use crate::sources::insights::{InsightsQuery, SAVED, saved};

/// The largest file that may be a query, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Saved queries of CloudWatch Logs Insights: what failed, what is slow, what waits
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope queries list
  stepscope queries show throttles --set bin=15m
  stepscope queries run errors --state-machine Orders
  stepscope queries run slowest-states --state-machine Orders --since 1d
  stepscope queries run execution --set execution=arn:… --log-group orders-logs
  stepscope queries run ./our.query --log-group orders-logs --output csv

`show` writes what is to be pasted into the console of Logs Insights, `run` asks
it here. Logs Insights charges by the bytes that it scans: the time and the log
group decide what an answer costs. docs/queries.md tells more.")]
pub struct QueriesArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// List the queries with the question that each answers
    List,
    /// Show the text of a query, for the console
    Show(ShowArgs),
    /// Ask a query, and write the rows
    Run(ask::RunArgs),
}

/// Which query.
#[derive(Debug, Clone, Args)]
struct QueryArgs {
    /// A query of `queries list`, a file with one of your own, or `-`
    #[arg(value_name = "NAME|FILE")]
    query: String,
    /// Fill in a parameter of the query; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    values: Vec<(String, String)>,
}

#[derive(Debug, Clone, Args)]
struct ShowArgs {
    #[command(flatten)]
    query: QueryArgs,
    /// Only executions of this state machine: a name or an ARN
    #[arg(long, value_name = "NAME")]
    state_machine: Option<String>,
}

impl QueriesArgs {
    /// Whether the answer is rows.
    pub fn has_rows(&self) -> bool {
        matches!(self.action, Action::Run(_))
    }
}

/// Does what was asked for.
pub fn run(args: &QueriesArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.action {
        Action::List => list(global, out),
        Action::Show(args) => show(args, global, out),
        Action::Run(args) => ask::run(args, global, out, words),
    }
}

fn list(global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = TextSettings::resolve(global);
    let list = SavedList::new();
    match global.output {
        OutputFormat::Text => list.text(&settings.styles, settings.width, out)?,
        format => document(&list, format, settings.redactor, out)?,
    }
    Ok(Exit::Done)
}

fn show(args: &ShowArgs, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = TextSettings::resolve(global);
    let found = args.query.find()?;
    let text = found.query.text(&args.query.values, args.state_machine.as_deref()).map_err(|error| wrong(&error))?;
    match global.output {
        OutputFormat::Text => write!(out, "{}", render::escape::block(&settings.redactor.apply(&text)))?,
        format => document(&Shown::new(&found.name, found.query, text), format, settings.redactor, out)?,
    }
    Ok(Exit::Done)
}

/// A query, and where it came from.
struct Found {
    /// The saved query's name, or the file's.
    name: String,
    /// Whether it comes with the program.
    is_saved: bool,
    query: InsightsQuery,
}

impl QueryArgs {
    /// The saved query, or the one in the file.
    fn find(&self) -> anyhow::Result<Found> {
        let name = self.query.clone();
        if let Some(saved) = saved(&name) {
            return Ok(Found { name, is_saved: true, query: InsightsQuery::read(saved.text) });
        }
        let path = Path::new(&name);
        let is_file = name == "-" || name.contains(['/', '\\']) || path.extension().is_some() || path.is_file();
        if !is_file {
            return Err(WrongUsage(unknown(&name)).into());
        }
        let query = InsightsQuery::read(&text_of(&name)?);
        Ok(Found { name, is_saved: false, query })
    }
}

fn text_of(name: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> = match name {
        "-" => Box::new(std::io::stdin().lock()),
        path => Box::new(std::fs::File::open(path).with_context(|| format!("failed to open the query `{path}`"))?),
    };
    let name = if name == "-" { "standard input" } else { name };
    source.take(LARGEST_FILE + 1).read_to_string(&mut text).with_context(|| format!("failed to read the query from {name}"))?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(WrongUsage(format!("{name} is too large to be a query")).into());
    }
    Ok(text)
}

fn unknown(name: &str) -> String {
    let likeness = |saved: &&crate::sources::insights::Saved| strsim::jaro_winkler(saved.name, name);
    let near = SAVED.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other))).map_or("", |saved| saved.name);
    format!("no query is named `{name}`, and there is no such file; did you mean `{near}`? `stepscope queries list` shows all")
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "wanted is NAME=VALUE".to_owned())?;
    // As it is written in the query, too.
    let name = name.trim().trim_start_matches('{').trim_end_matches('}');
    Ok((name.to_owned(), value.to_owned()))
}

fn wrong(error: &crate::sources::insights::InsightsError) -> anyhow::Error {
    WrongUsage(error.to_string()).into()
}
