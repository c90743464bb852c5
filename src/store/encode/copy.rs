//! Executions of some batches into a new one, as they stand in the files: nothing is rebuilt.

use std::path::Path;

use polars_parquet::parquet::error::ParquetResult;

use crate::store::StoreError;
use crate::store::decode::BatchPaths;
use crate::store::decode::file::{Piece, TableReader};
use crate::store::decode::values as decode;
use crate::store::schema::{ATTEMPTS, Column as Described, EVENTS, EXECUTIONS, Kind, Table, VISITS};

use super::column::{Column, Doubles, Flags, Integers, Texts, Words};
use super::file::{Columns, Rows};
use super::{BatchFiles, TableFile};

/// So many rows are copied column by column, and as many more as belong to the last execution.
const STRETCH: usize = 32_768;

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
    for path in files {
        let file = TableReader::open(path, table)?;
        for group in file.all() {
            copy_group(&file, &group, &mut rows, keep)?;
        }
    }
    rows.write(folder)
}

/// Copies the rows of one row group.
fn copy_group(file: &TableReader, group: &Piece, rows: &mut Rows<Copied>, keep: &dyn Fn(&str) -> bool) -> Result<(), StoreError> {
    let executions: decode::Texts = file.column("execution", std::slice::from_ref(group))?;
    let wanted = executions.map(keep);
    let stretches = stretches(&executions.rows, |row| wanted.get(row).unwrap_or(false));
    let columns: Vec<_> = rows.columns.0.iter().map(|column| column.read(file, group)).collect::<Result<_, _>>()?;
    for stretch in stretches {
        let begin = rows.rows;
        let copied: ParquetResult<()> =
            rows.columns.0.iter_mut().zip(&columns).try_for_each(|(column, values)| column.copy(values, &stretch, begin));
        copied.map_err(|error| rows.error(&error))?;
        rows.rows += stretch.len();
        rows.end_group_if_large()?;
    }
    Ok(())
}

/// The rows that are wanted, in pieces that end with an execution: a row group holds whole ones.
fn stretches(executions: &[u32], is_wanted: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut stretches = vec![Vec::new()];
    for row in 0..executions.len() {
        let is_next = row > 0 && executions[row] != executions[row - 1];
        if is_next && stretches.last().is_some_and(|stretch| stretch.len() >= STRETCH) {
            stretches.push(Vec::new());
        }
        if is_wanted(row)
            && let Some(stretch) = stretches.last_mut()
        {
            stretch.push(row);
        }
    }
    stretches
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

    /// The column in a row group of a file; one that came with a later version is null in earlier files.
    fn read(&self, file: &TableReader, group: &Piece) -> Result<Read, StoreError> {
        let group = std::slice::from_ref(group);
        Ok(match &self.values {
            Values::Words(_) | Values::Texts(_) => Read::Texts(file.column(self.name, group)?),
            Values::Integers(_) => Read::Integers(file.column(self.name, group)?),
            Values::Doubles(_) => Read::Doubles(file.column(self.name, group)?),
            Values::Flags(_) => Read::Flags(file.column(self.name, group)?),
        })
    }

    /// Appends some rows of a column as it was read, as rows from `begin` on.
    fn copy(&mut self, from: &Read, stretch: &[usize], begin: usize) -> ParquetResult<()> {
        let rows = stretch.iter().copied().zip(begin..);
        match (&mut self.values, from) {
            (Values::Words(column), Read::Texts(texts)) => {
                let texts = texts.view();
                rows.for_each(|(from, to)| texts.get(from).into_iter().for_each(|text| column.push(to, text)));
            }
            (Values::Texts(column), Read::Texts(texts)) => {
                let texts = texts.view();
                for (from, to) in rows {
                    texts.get(from).map_or(Ok(()), |text| column.push(to, text.as_bytes()))?;
                }
            }
            (Values::Integers(column), Read::Integers(numbers)) => {
                rows.for_each(|(from, to)| numbers.get(from).into_iter().for_each(|number| column.push(to, number)));
            }
            (Values::Doubles(column), Read::Doubles(numbers)) => {
                rows.for_each(|(from, to)| numbers.get(from).into_iter().for_each(|number| column.push(to, number)));
            }
            (Values::Flags(column), Read::Flags(flags)) => {
                rows.for_each(|(from, to)| flags.get(from).into_iter().for_each(|flag| column.push(to, flag)));
            }
            // `read` gives each kind its own.
            _ => {}
        }
        Ok(())
    }
}

/// A column as it was read.
enum Read {
    Texts(decode::Texts),
    Integers(decode::Integers),
    Doubles(decode::Doubles),
    Flags(decode::Flags),
}
