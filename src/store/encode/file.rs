//! The rows of one table: its columns, its row groups, its file.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use polars_parquet::parquet::error::{ParquetError, ParquetResult};
use polars_parquet::parquet::fallible_streaming_iterator::convert;
use polars_parquet::parquet::metadata::{KeyValue, SchemaDescriptor};
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::parquet::schema::types::{
    FieldInfo, ParquetType, PhysicalType, PrimitiveConvertedType, PrimitiveLogicalType, PrimitiveType, TimeUnit,
};
use polars_parquet::parquet::write::{DynIter, DynStreamingIterator, FileWriter, Version, WriteOptions};

use crate::store::StoreError;
use crate::store::schema::{self, Column as Described, Kind, Table};

use super::TableFile;
use super::column::Column;

/// A row group is ended when it has so many rows,
const GROUP_ROWS: usize = 128 * 1024;

/// or so many bytes.
const GROUP_BYTES: usize = 32 << 20;

/// All columns of a table, as a struct of its own for each.
pub(super) trait Columns {
    /// In the order of the schema.
    fn each(&mut self, take: &mut dyn FnMut(&mut dyn Column));

    /// About how many bytes they occupy.
    fn bytes(&self) -> usize;
}

/// A struct with a field for each column of a table, in the order of its schema.
macro_rules! columns {
    ($(#[$about:meta])* $name:ident of $table:path { $($field:ident: $kind:ident,)* }) => {
        $(#[$about])*
        pub(super) struct $name {
            $(pub $field: $kind,)*
        }

        impl $name {
            #[cfg(test)]
            pub const NAMES: &[&str] = &[$($crate::store::encode::file::plain_name(stringify!($field)),)*];

            pub fn new() -> Self {
                let mut described = $table.columns.iter();
                // One field for each column: a test holds it.
                $(let $field = $kind::new(described.next().expect("a column for each field"));)*
                Self { $($field,)* }
            }
        }

        impl $crate::store::encode::file::Columns for $name {
            fn each(&mut self, take: &mut dyn FnMut(&mut dyn $crate::store::encode::column::Column)) {
                $(take(&mut self.$field);)*
            }

            fn bytes(&self) -> usize {
                use $crate::store::encode::column::Column as _;
                0 $(+ self.$field.bytes())*
            }
        }
    };
}
pub(super) use columns;

/// A field's name without what makes a keyword a name.
#[cfg(test)]
pub(super) const fn plain_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// How Parquet describes a column.
pub(in crate::store) fn parquet_type(column: &Described) -> PrimitiveType {
    let (physical, converted, logical) = match column.kind {
        Kind::Word | Kind::Text => (PhysicalType::ByteArray, Some(PrimitiveConvertedType::Utf8), Some(PrimitiveLogicalType::String)),
        Kind::Integer => (PhysicalType::Int64, None, None),
        Kind::Milliseconds => (PhysicalType::Double, None, None),
        Kind::Moment => {
            let logical = PrimitiveLogicalType::Timestamp { unit: TimeUnit::Microseconds, is_adjusted_to_utc: true };
            (PhysicalType::Int64, Some(PrimitiveConvertedType::TimestampMicros), Some(logical))
        }
        Kind::Flag => (PhysicalType::Boolean, None, None),
    };
    let repetition = if column.required { Repetition::Required } else { Repetition::Optional };
    PrimitiveType {
        field_info: FieldInfo { name: column.name.into(), repetition, id: None },
        logical_type: logical,
        converted_type: converted,
        physical_type: physical,
    }
}

struct Group {
    rows: usize,
    columns: Vec<Vec<CompressedPage>>,
}

/// The rows of a table.
pub(super) struct Rows<C> {
    table: &'static Table,
    /// The columns of the row group that is being filled.
    pub columns: C,
    /// How many rows it has.
    pub rows: usize,
    groups: Vec<Group>,
    compressed: usize,
    total: u64,
}

impl<C: Columns> Rows<C> {
    pub fn new(table: &'static Table, columns: C) -> Self {
        Self { table, columns, rows: 0, groups: Vec::new(), compressed: 0, total: 0 }
    }

    /// An error of one of the columns.
    pub fn error(&self, error: &ParquetError) -> StoreError {
        StoreError::Encoding { table: self.table.name, reason: error.to_string() }
    }

    /// About how many bytes are held.
    pub fn bytes(&self) -> usize {
        self.compressed + self.columns.bytes()
    }

    /// Ends the row group when it is large enough; called between two executions.
    pub fn end_group_if_large(&mut self) -> Result<(), StoreError> {
        if self.rows >= GROUP_ROWS || self.columns.bytes() >= GROUP_BYTES { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(self.table.columns.len());
        let mut failed = None;
        self.columns.each(&mut |column| match column.close(rows) {
            Ok(pages) => columns.push(pages),
            Err(error) => failed = Some(error),
        });
        if let Some(error) = failed {
            return Err(self.error(&error));
        }
        for page in columns.iter().flatten() {
            self.compressed += if let CompressedPage::Data(page) = page { page.compressed_size() } else { 0 };
        }
        self.total += rows as u64;
        self.groups.push(Group { rows, columns });
        Ok(())
    }

    /// Writes `<folder>/<table>.parquet`.
    pub fn write(mut self, folder: &Path) -> Result<TableFile, StoreError> {
        self.end_group()?;
        let path = folder.join(format!("{}.parquet", self.table.name));
        let file = File::create(&path).map_err(|source| StoreError::io(&path, "created", source))?;
        let output =
            RefCell::new(Output { file: BufWriter::with_capacity(1 << 18, file), sum: crc32fast::Hasher::new(), bytes: 0, failed: None });
        match self.write_to(&output) {
            Ok(_) => {}
            Err(error) => {
                // The system's own error says more than the one that Parquet made of it.
                let failed = output.borrow_mut().failed.take();
                return Err(failed.map_or_else(|| self.error(&error), |source| StoreError::io(&path, "written", source)));
            }
        }
        let bytes = output.borrow().bytes;
        Ok(TableFile { table: self.table, path, rows: self.total, bytes })
    }

    fn write_to(&self, output: &RefCell<Output>) -> ParquetResult<u64> {
        let fields = self.table.columns.iter().map(|column| ParquetType::PrimitiveType(parquet_type(column))).collect();
        let options = WriteOptions { write_statistics: false, version: Version::V1 };
        let program = concat!("stepscope version ", env!("CARGO_PKG_VERSION"));
        let schema = SchemaDescriptor::new(self.table.name.into(), fields);
        let mut writer = FileWriter::new(Shared(output), schema, options, Some(program.to_owned()));
        for group in &self.groups {
            let columns = group.columns.iter().map(|pages| {
                let pages: ParquetResult<_> = Ok(DynStreamingIterator::new(convert(pages.iter().map(ParquetResult::Ok))));
                pages
            });
            writer.write(group.rows as u64, DynIter::new(columns))?;
        }
        let (bytes, sum) = output.borrow().sums();
        let entry = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
        writer.end(Some(vec![
            entry(schema::TABLE_KEY, self.table.name.to_owned()),
            entry(schema::VERSION_KEY, schema::VERSION.to_string()),
            entry(schema::SUM_KEY, format!("{bytes} {sum:08x}")),
        ]))
    }
}

/// The file, and what is known of its bytes.
struct Output {
    file: BufWriter<File>,
    sum: crc32fast::Hasher,
    bytes: u64,
    failed: Option<io::Error>,
}

impl Output {
    fn sums(&self) -> (u64, u32) {
        (self.bytes, self.sum.clone().finalize())
    }
}

struct Shared<'a>(&'a RefCell<Output>);

impl Write for Shared<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.0.borrow_mut();
        match output.file.write(bytes) {
            Ok(written) => {
                output.sum.update(&bytes[..written]);
                output.bytes += written as u64;
                Ok(written)
            }
            Err(error) => Err(output.keep(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut output = self.0.borrow_mut();
        output.file.flush().map_err(|error| output.keep(error))
    }
}

impl Output {
    fn keep(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.failed = Some(error);
        kind.into()
    }
}
