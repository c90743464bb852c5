//! SQL over the tables, through polars. Nothing that a query says can change a file: it is planned over scans and nothing else.

mod named;
mod rows;

use std::any::Any;
use std::path::PathBuf;
use std::thread;

use polars::io::HiveOptions;
use polars::io::parquet::read::ParquetOptions;
use polars::prelude::{
    DataFrame, DataType, DslBuilder, ExtraColumnsPolicy, Field, IntoLazy, LazyFrame, MissingColumnsPolicy, PlRefPath, PolarsError,
    ScanSources, Schema, TimeUnit, TimeZone, UnifiedScanArgs,
};
use polars::sql::SQLContext;
use thiserror::Error;

use super::schema::{Kind, TABLES, Table};

pub use named::{NAMED, Named, named};
pub use rows::{Cell, Rows};

/// Why a query has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The text is no query, or names what is not there.
    #[error("{0}")]
    Refused(String),
    /// It changes something, or reads something else than the tables.
    #[error("only queries are run (SELECT, WITH, SHOW TABLES, EXPLAIN), not {0}")]
    NoQuery(String),
    /// A file of the store can't be read.
    #[error("failed to read the tables: {0}; `stepscope store verify` names damaged files")]
    Unreadable(String),
    /// The engine gave up where it should have said what is wrong.
    #[error("the SQL engine broke off: {0}; another way to ask the same may work")]
    Broken(String),
}

/// The files of one table that a query sees.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// Which table.
    pub table: &'static Table,
    /// `…/day=2026-11-20/<batch>.parquet`, in any order; none for an empty store.
    pub files: Vec<PathBuf>,
}

/// The engine goes down into expressions by recursion, as deep as operators are chained.
const STACK: usize = 256 << 20;
/// More of them are refused: they need more stack than the engine's own threads have.
const MOST_OPERATORS: usize = 500;

/// Runs one query, on a thread of its own with stack enough for long expressions.
///
/// The engine panics on some queries, such as those that take a million years from a date or name a unit of time that it does not know.
/// That is an answer like any other: nothing that it worked on is used again. Whoever wants no trace of it on stderr sets a panic hook.
pub fn query(tables: &[TableFiles], sql: &str) -> Result<Rows, QueryError> {
    refuse_changes(sql)?;
    thread::scope(|scope| {
        let asked = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || run(tables, sql));
        let asked = asked.map_err(|reason| QueryError::Broken(reason.to_string()))?;
        asked.join().unwrap_or_else(|panic| Err(QueryError::Broken(words_of(panic.as_ref()))))
    })
}

/// What a panic said, on one line.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.and_then(|text| text.lines().next()).unwrap_or("it does not say why").to_owned()
}

fn run(tables: &[TableFiles], sql: &str) -> Result<Rows, QueryError> {
    let context = SQLContext::new();
    for table in TABLES {
        let files = tables.iter().find(|files| files.table.name == table.name).map_or(&[][..], |files| &files.files);
        let frame = scan(table, files).map_err(|error| QueryError::Unreadable(error.to_string()))?;
        context.register(table.name, frame);
    }
    let mut context = context;
    let frame = context.execute(sql).and_then(LazyFrame::collect).map_err(|error| explained(&error))?;
    Ok(Rows::new(frame))
}

/// The statements that only read begin with one of these words.
const READING: [&str; 5] = ["select", "with", "show", "explain", "("];
/// Functions that read files beside the tables.
const READING_FILES: [&str; 4] = ["read_csv", "read_parquet", "read_json", "read_ipc"];

/// Operators that are words; each makes the plan deeper.
const CHAINING: [&str; 7] = ["and", "or", "not", "union", "except", "intersect", "join"];

/// A query sees the tables and nothing else.
fn refuse_changes(sql: &str) -> Result<(), QueryError> {
    let plain = without_comments_and_texts(sql).to_lowercase();
    let first: String = plain.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '(' || *c == '_').collect();
    if first.is_empty() {
        return Err(QueryError::Refused("the query is empty".to_owned()));
    }
    if !READING.iter().any(|word| first.starts_with(word)) {
        return Err(QueryError::NoQuery(first.to_uppercase()));
    }
    let words = || plain.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    // In quotes, too: a name may stand in them, and what is a text is not for this to tell.
    let whole = sql.to_lowercase();
    if let Some(function) = READING_FILES.into_iter().find(|function| whole.contains(function)) {
        return Err(QueryError::NoQuery(function.to_uppercase()));
    }
    let signs = plain.chars().filter(|c| "+-/%=<>|&^~".contains(*c)).count();
    let chained = signs + words().filter(|word| CHAINING.contains(word)).count();
    if chained > MOST_OPERATORS {
        return Err(QueryError::Refused(format!(
            "the query chains {chained} operators; at most {MOST_OPERATORS} can be run (IN takes any number of values)"
        )));
    }
    Ok(())
}

/// The text with its comments and quoted parts blanked out.
fn without_comments_and_texts(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '-' if rest.peek() == Some(&'-') => while rest.next_if(|c| *c != '\n').is_some() {},
            '/' if rest.peek() == Some(&'*') => {
                let mut before = ' ';
                for c in rest.by_ref().skip(1) {
                    if before == '*' && c == '/' {
                        break;
                    }
                    before = c;
                }
                plain.push(' ');
            }
            '\'' | '"' => {
                while rest.next_if(|next| *next != c).is_some() {}
                rest.next();
                plain.push(' ');
            }
            c => plain.push(c),
        }
    }
    plain
}

fn scan(table: &'static Table, files: &[PathBuf]) -> Result<LazyFrame, PolarsError> {
    if files.is_empty() {
        return Ok(nothing(table).lazy());
    }
    let mut sorted = files.to_vec();
    sorted.sort();
    let paths: Vec<PlRefPath> = sorted.iter().map(|path| PlRefPath::try_from_path(path)).collect::<Result<_, _>>()?;
    let arguments = UnifiedScanArgs {
        hive_options: HiveOptions { enabled: Some(true), hive_start_idx: 0, schema: None, try_parse_dates: true },
        glob: false,
        cache: true,
        // An older version wrote fewer columns, a later one may have written more.
        missing_columns_policy: MissingColumnsPolicy::Insert,
        extra_columns_policy: ExtraColumnsPolicy::Ignore,
        ..UnifiedScanArgs::default()
    };
    let options = ParquetOptions { schema: Some(schema_of(table).into()), use_statistics: true, ..ParquetOptions::default() };
    Ok(DslBuilder::scan_parquet(ScanSources::Paths(paths.into()), options, arguments)?.build().into())
}

/// A table without rows.
fn nothing(table: &Table) -> DataFrame {
    let mut schema = schema_of(table);
    schema.with_column(super::schema::DAY.into(), DataType::Date);
    DataFrame::empty_with_schema(&schema)
}

/// The columns of a table's files, as this version knows them.
fn schema_of(table: &Table) -> Schema {
    let kind = |kind: Kind| match kind {
        Kind::Word | Kind::Text => DataType::String,
        Kind::Integer => DataType::Int64,
        Kind::Milliseconds => DataType::Float64,
        Kind::Moment => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        Kind::Flag => DataType::Boolean,
    };
    table.columns.iter().map(|column| Field::new(column.name.into(), kind(column.kind))).collect()
}

/// What the error means to whoever wrote the query; polars' advice about its own interface is cut off.
fn explained(error: &PolarsError) -> QueryError {
    let text = match error {
        PolarsError::ColumnNotFound(text) => {
            let text = text.lines().next().unwrap_or_default();
            // Either the name alone, or a sentence with the name in quotes and all other names after it.
            let column = text.split('"').nth(1).unwrap_or(text).trim_matches('\'');
            format!("there is no column {column}; docs/tables.md, or `stepscope query --tables`, lists them")
        }
        PolarsError::SQLInterface(text) | PolarsError::SQLSyntax(text) => format!("the SQL can't be run: {text}"),
        PolarsError::IO { .. } => return QueryError::Unreadable(error.to_string()),
        error => error.to_string(),
    };
    QueryError::Refused(text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str) -> String {
        query(&[], sql).expect_err("no query").to_string()
    }

    #[test]
    fn an_empty_store_answers_with_no_rows() {
        let rows = query(&[], "SELECT machine, COUNT(*) AS n FROM executions GROUP BY machine").expect("a query");
        assert_eq!((rows.columns(), rows.len()), (vec!["machine", "n"], 0));
    }

    #[test]
    fn what_is_no_query_is_refused() {
        assert!(refused("DROP TABLE executions").contains("DROP"));
        assert!(refused("-- SELECT\ndelete from visits").contains("DELETE"));
        assert!(refused("SELECT * FROM read_csv('/etc/passwd')").contains("READ_CSV"));
        assert_eq!(refused("  -- nothing\n"), "the query is empty");
        for sql in [
            "SELECT * FROM \"read_parquet\"('/tmp/x.parquet')",
            "SELECT E'\\'', * FROM Read_Parquet('/tmp/x.parquet') --'",
            "SELECT $$'$$, * FROM read_parquet('/tmp/x.parquet') --'",
        ] {
            assert!(refused(sql).contains("READ_PARQUET"), "{sql}");
        }
        assert!(query(&[], "SELECT 'drop table visits' AS text FROM visits").is_ok());
    }

    #[test]
    fn a_query_on_which_the_engine_panics_has_no_answer() {
        for sql in ["SELECT INTERVAL '1 fortnight'", "SELECT TIMESTAMP '2026-01-01' - INTERVAL '999999999 years' AS t"] {
            let refused = refused(sql);
            assert!(!refused.contains('\n'), "{sql}: {refused}");
        }
        assert!(refused("SELECT INTERVAL '1 fortnight'").contains("fortnight"));
    }

    #[test]
    fn long_chains_of_operators_are_run_or_refused() {
        let chain = |operator: &str, count: usize| format!("SELECT {}", vec!["1"; count].join(operator));
        for operator in ["+", " AND ", " UNION SELECT "] {
            let refused = refused(&chain(operator, 20_000));
            assert!(refused.contains("operators"), "{refused}");
        }
        assert!(query(&[], &chain("+", MOST_OPERATORS)).is_ok());
        let many = vec!["'a'"; 5000].join(",");
        assert!(query(&[], &format!("SELECT state FROM visits WHERE state IN ({many})")).is_ok());
    }

    #[test]
    fn a_missing_column_is_named() {
        assert!(refused("SELECT stat FROM visits").contains("stat"), "{}", refused("SELECT stat FROM visits"));
        assert!(refused("SELECT state FROM visit").contains("visit"));
        assert!(refused("SELEC state").contains("SELEC"));
    }

    #[test]
    fn every_named_query_runs_and_opens_with_its_question() {
        for named in NAMED {
            assert!(named.question().ends_with('?') || named.question().contains("? "), "{}", named.name);
            query(&[], named.sql).unwrap_or_else(|error| panic!("{}: {error}", named.name));
        }
    }
}
