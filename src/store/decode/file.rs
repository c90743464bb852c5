//! A table's file: what its footer says, and the columns that are asked for.

use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use polars_parquet::parquet::error::ParquetError;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, FileMetadata};
use polars_parquet::parquet::read::{BasicDecompressor, PageReader, read_metadata};
use polars_parquet::parquet::schema::types::PhysicalType;

use crate::store::StoreError;
use crate::store::schema::{Kind, TABLE_KEY, Table, VERSION, VERSION_KEY};

use super::page::{Values, split};

/// A row group has no more rows; a footer that says so is damaged.
const MOST_ROWS: usize = 1 << 26;

/// No compression makes a page smaller by more.
const GREATEST_RATIO: usize = 1 << 16;

/// An open file.
pub(in crate::store) struct TableReader {
    path: PathBuf,
    table: &'static Table,
    file: File,
    metadata: FileMetadata,
}

/// Rows of a row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Piece {
    /// Which row group.
    pub group: usize,
    /// Which of its rows.
    pub rows: Range<usize>,
}

impl TableReader {
    /// Reads the footer.
    pub fn open(path: &Path, table: &'static Table) -> Result<Self, StoreError> {
        let mut file = File::open(path).map_err(|source| StoreError::io(path, "opened", source))?;
        let damaged = |reason: String| StoreError::Damaged { file: path.to_owned(), table: table.name, reason };
        let metadata = read_metadata(&mut file).map_err(|error| damaged(error.to_string()))?;
        let reader = Self { path: path.to_owned(), table, file, metadata };
        let version = reader.entry(VERSION_KEY).and_then(|version| version.parse().ok()).unwrap_or(0);
        if version > VERSION {
            return Err(StoreError::LaterVersion { file: reader.path, found: version, known: VERSION });
        }
        match reader.entry(TABLE_KEY) {
            Some(name) if name == table.name => {}
            Some(name) => return Err(damaged(format!("it holds the table `{name}`"))),
            None => return Err(damaged("it does not say which table it holds".to_owned())),
        }
        if reader.metadata.row_groups.iter().any(|group| group.num_rows() > MOST_ROWS) {
            return Err(damaged("its footer makes no sense".to_owned()));
        }
        Ok(reader)
    }

    /// An entry of the file's metadata.
    pub fn entry(&self, key: &str) -> Option<&str> {
        let entries = self.metadata.key_value_metadata.as_ref()?;
        entries.iter().find(|entry| entry.key == key)?.value.as_deref()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.metadata.row_groups.iter().map(|group| group.num_rows()).sum()
    }

    /// Every row.
    pub fn all(&self) -> Vec<Piece> {
        let groups = self.metadata.row_groups.iter().enumerate();
        groups.map(|(group, metadata)| Piece { group, rows: 0..metadata.num_rows() }).collect()
    }

    /// These rows of the file.
    pub fn pieces(&self, rows: &Range<usize>) -> Vec<Piece> {
        let mut first = 0;
        let mut pieces = Vec::new();
        for (group, metadata) in self.metadata.row_groups.iter().enumerate() {
            let end = first + metadata.num_rows();
            let (from, to) = (rows.start.max(first), rows.end.min(end));
            if from < to {
                pieces.push(Piece { group, rows: from - first..to - first });
            }
            first = end;
        }
        pieces
    }

    /// An error that names the file.
    pub fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { file: self.path.clone(), table: self.table.name, reason: reason.into() }
    }

    /// The bytes at this place of the file.
    pub fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let size = self.file.metadata().map_err(|source| StoreError::io(&self.path, "read", source))?.len();
        let length = range.end.checked_sub(range.start).filter(|_| range.end <= size).ok_or_else(|| self.damaged("it ends early"))?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| self.damaged("it is too large"))?];
        self.file.read_exact_at(&mut bytes, range.start).map_err(|source| StoreError::io(&self.path, "read", source))?;
        Ok(bytes)
    }

    /// Compares the bytes before the footer with their CRC-32.
    pub fn check_sum(&self, length: u64, sum: u32) -> Result<(), StoreError> {
        const STEP: u64 = 1 << 20;
        let mut found = crc32fast::Hasher::new();
        let mut at = 0;
        while at < length {
            let end = length.min(at + STEP);
            found.update(&self.bytes(at..end)?);
            at = end;
        }
        if found.finalize() == sum { Ok(()) } else { Err(self.damaged("its bytes are not those that were written")) }
    }

    /// The values of a column in these rows; none where the file does not have the column.
    pub fn column<V: Values>(&self, name: &str, pieces: &[Piece]) -> Result<V, StoreError> {
        let mut values = V::default();
        let mut kept = 0;
        for piece in pieces {
            let group = &self.metadata.row_groups[piece.group];
            let is_named = |column: &&ColumnChunkMetadata| matches!(&column.descriptor().path_in_schema[..], [only] if only == name);
            match group.parquet_columns().iter().find(is_named) {
                None => values.nulls(piece.rows.len()),
                Some(column) => self.chunk(name, column, group.num_rows(), &piece.rows, kept, &mut values)?,
            }
            kept += piece.rows.len();
        }
        Ok(values)
    }

    fn chunk<V: Values>(
        &self,
        name: &str,
        column: &ColumnChunkMetadata,
        group_rows: usize,
        wanted: &Range<usize>,
        kept: usize,
        values: &mut V,
    ) -> Result<(), StoreError> {
        let damaged = |reason: &str| self.damaged(format!("column `{name}`: {reason}"));
        let of_parquet = |error: ParquetError| damaged(&error.to_string());
        let kind = self.table.columns.iter().find(|column| column.name == name).map(|column| physical_type(column.kind));
        if kind.is_some_and(|kind| kind != column.physical_type()) {
            return Err(damaged("it is of another type"));
        }
        let bytes = self.bytes(column.byte_range())?;
        let limit = bytes.len();
        let reader = PageReader::new(Cursor::new(bytes.into()), column, Vec::new(), limit);
        let mut pages = BasicDecompressor::new(reader, Vec::new());
        values.begin_group();
        if let Some(dictionary) = pages.read_dict_page().map_err(of_parquet)? {
            values.dictionary(&dictionary).map_err(damaged)?;
        }
        let (mut row, mut first_read) = (0, None);
        while let Some(page) = pages.next() {
            let page = page.map_err(of_parquet)?;
            let first = row;
            row += page.num_values();
            if row > group_rows {
                break;
            }
            if row <= wanted.start || first >= wanted.end {
                continue;
            }
            first_read.get_or_insert(first);
            if page.page().uncompressed_size() / GREATEST_RATIO > page.page().compressed_size() {
                return Err(damaged("a page says it is larger than it can be"));
            }
            let page = page.decompress(&mut pages).map_err(of_parquet)?;
            values.page(&split(&page).map_err(damaged)?).map_err(damaged)?;
            pages.reuse_page_buffer(page);
        }
        if row != group_rows {
            return Err(damaged("it has more or fewer rows than its footer says"));
        }
        let first = first_read.unwrap_or(wanted.start);
        values.keep(kept, wanted.start - first..wanted.end - first);
        Ok(())
    }
}

fn physical_type(kind: Kind) -> PhysicalType {
    match kind {
        Kind::Word | Kind::Text => PhysicalType::ByteArray,
        Kind::Integer | Kind::Moment => PhysicalType::Int64,
        Kind::Milliseconds => PhysicalType::Double,
        Kind::Flag => PhysicalType::Boolean,
    }
}
