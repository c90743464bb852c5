//! Executions of some batches into a new one, as they stand in the files: nothing is rebuilt.

use std::fs::File;
use std::path::Path;

use polars::error::PolarsError;
use polars::prelude::{Column as Series, DataFrame, ParallelStrategy, ParquetReader, SerReader};
use polars_parquet::parquet::error::ParquetResult;

use crate::store::StoreError;
use crate::store::decode::BatchPaths;
use crate::store::schema::{ATTEMPTS, Column as Described, EVENTS, EXECUTIONS, Kind, Table, VISITS};

use super::column::{Column, Doubles, Flags, Integers, Texts, Words};
use super::file::{Columns, Rows};
use super::{BatchFiles, TableFile};

/// So many rows are copied column by column, and as many more as belong to the last execution.
const STRETCH: usize = 4096;

/// Writes a batch of the executions of others that `keep` wants, in their order, into a folder that exists.
pub fn copy_batches(sources: &[BatchPaths], keep: &dyn Fn(&str) -> bool, folder: &Path) -> Result<BatchFiles, StoreError> {
    let copy = |table, file: fn(&BatchPaths) -> &Path| copy_table(table, sources.iter().map(file), keep, folder);
    let events = copy(&EVENTS, |batch| &batch.events)?;
    let attempts = copy(&ATTEMPTS, |batch| &batch.attempts)?;
    let visits = copy(&VISITS, |batch| &batch.visits)?;
    let executions = copy(&EXECUTIONS, |batch| &batch.executions)?;
    Ok(BatchFiles { files: [executions, visits, attempts, events] })
}

fn copy_table<'p>(
    table: &'static Table,
    files: impl Iterator<Item = &'p Path>,
    keep: &dyn Fn(&str) -> bool,
    folder: &Path,
) -> Result<TableFile, StoreError> {
    let mut rows = Rows::new(table, Copied(table.columns.iter().map(AnyColumn::new).collect()));
    for file in files {
        for (first, count) in groups(file, table)? {
            let damaged = |error: PolarsError| damaged(file, table, error);
            let frame = reader(file)?.with_slice(Some((first, count))).read_parallel(ParallelStrategy::None).finish().map_err(damaged)?;
            copy_rows(&frame, &mut rows, keep).map_err(damaged)?;
        }
    }
    rows.write(folder)
}

fn reader(file: &Path) -> Result<ParquetReader<File>, StoreError> {
    Ok(ParquetReader::new(File::open(file).map_err(|source| StoreError::io(file, "read", source))?))
}

/// Where the row groups of a file begin, and how many rows they have.
fn groups(file: &Path, table: &'static Table) -> Result<Vec<(usize, usize)>, StoreError> {
    let mut reader = reader(file)?;
    let metadata = reader.get_metadata().map_err(|error| damaged(file, table, error))?;
    let mut first = 0;
    let group = |count: usize| {
        first += count;
        (first - count, count)
    };
    Ok(metadata.row_groups.iter().map(|group| group.num_rows()).map(group).collect())
}

fn damaged(file: &Path, table: &'static Table, error: PolarsError) -> StoreError {
    match error {
        PolarsError::IO { error, .. } if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            StoreError::io(file, "read", std::io::Error::new(error.kind(), error.to_string()))
        }
        error => StoreError::Damaged { file: file.to_owned(), table: table.name, reason: error.to_string() },
    }
}

/// Copies the rows of one row group.
fn copy_rows(frame: &DataFrame, rows: &mut Rows<Copied>, keep: &dyn Fn(&str) -> bool) -> Result<(), PolarsError> {
    let executions = frame.column("execution")?.str()?;
    let mut stretch = Vec::with_capacity(STRETCH);
    let mut last = None;
    let mut wanted = false;
    for (row, execution) in executions.iter().enumerate() {
        if last != Some(execution) {
            if stretch.len() >= STRETCH {
                copy_stretch(frame, rows, &stretch)?;
                stretch.clear();
            }
            wanted = keep(execution.unwrap_or_default());
            last = Some(execution);
        }
        if wanted {
            stretch.push(row);
        }
    }
    copy_stretch(frame, rows, &stretch)
}

fn copy_stretch(frame: &DataFrame, rows: &mut Rows<Copied>, stretch: &[usize]) -> Result<(), PolarsError> {
    let begin = rows.rows;
    for column in &mut rows.columns.0 {
        // A column that came with a later version is null in earlier files.
        if let Ok(values) = frame.column(column.name) {
            column.copy(values, stretch, begin)?;
        }
    }
    rows.rows += stretch.len();
    rows.end_group_if_large().map_err(|error| PolarsError::ComputeError(error.to_string().into()))
}

/// The columns of any table.
struct Copied(Vec<AnyColumn>);

struct AnyColumn {
    name: &'static str,
    values: Values,
}

enum Values {
    Words(Words),
    Texts(Texts),
    Integers(Integers),
    Doubles(Doubles),
    Flags(Flags),
}

impl Columns for Copied {
    fn each(&mut self, take: &mut dyn FnMut(&mut dyn Column)) {
        for column in &mut self.0 {
            match &mut column.values {
                Values::Words(column) => take(column),
                Values::Texts(column) => take(column),
                Values::Integers(column) => take(column),
                Values::Doubles(column) => take(column),
                Values::Flags(column) => take(column),
            }
        }
    }

    fn bytes(&self) -> usize {
        let bytes = |column: &AnyColumn| match &column.values {
            Values::Words(column) => column.bytes(),
            Values::Texts(column) => column.bytes(),
            Values::Integers(column) => column.bytes(),
            Values::Doubles(column) => column.bytes(),
            Values::Flags(column) => column.bytes(),
        };
        self.0.iter().map(bytes).sum()
    }
}

impl AnyColumn {
    fn new(described: &Described) -> Self {
        let values = match described.kind {
            Kind::Word => Values::Words(Words::new(described)),
            Kind::Text => Values::Texts(Texts::new(described)),
            Kind::Integer | Kind::Moment => Values::Integers(Integers::new(described)),
            Kind::Milliseconds => Values::Doubles(Doubles::new(described)),
            Kind::Flag => Values::Flags(Flags::new(described)),
        };
        Self { name: described.name, values }
    }

    /// Appends some rows of a column as it was read, as rows from `begin` on.
    fn copy(&mut self, from: &Series, stretch: &[usize], begin: usize) -> Result<(), PolarsError> {
        let physical = from.to_physical_repr();
        let rows = stretch.iter().zip(begin..);
        match &mut self.values {
            Values::Words(column) => {
                let texts = from.str()?;
                rows.for_each(|(from, to)| texts.get(*from).into_iter().for_each(|text| column.push(to, text)));
            }
            Values::Texts(column) => {
                let texts = from.str()?;
                for (from, to) in rows {
                    let pushed: ParquetResult<()> = texts.get(*from).map_or(Ok(()), |text| column.push(to, text.as_bytes()));
                    pushed.map_err(|error| PolarsError::ComputeError(error.to_string().into()))?;
                }
            }
            Values::Integers(column) => {
                let numbers = physical.i64()?;
                rows.for_each(|(from, to)| numbers.get(*from).into_iter().for_each(|number| column.push(to, number)));
            }
            Values::Doubles(column) => {
                let numbers = from.f64()?;
                rows.for_each(|(from, to)| numbers.get(*from).into_iter().for_each(|number| column.push(to, number)));
            }
            Values::Flags(column) => {
                let flags = from.bool()?;
                rows.for_each(|(from, to)| flags.get(*from).into_iter().for_each(|flag| column.push(to, flag)));
            }
        }
        Ok(())
    }
}
