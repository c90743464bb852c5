//! A table's file: what its footer says, and the columns that are asked for.

use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use polars_parquet::parquet::error::ParquetError;
use polars_parquet::parquet::read::{BasicDecompressor, PageMetaData, PageReader};
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

use crate::store::StoreError;
use crate::store::schema::{TABLE_KEY, Table, VERSION, VERSION_KEY};

use super::footer::{self, Footer};
use super::page::{Values, split};

/// A row group has no more rows; a footer that says so is damaged.
const MOST_ROWS: usize = 1 << 26;

/// No compression makes a page smaller by more.
const GREATEST_RATIO: usize = 1 << 16;

/// A page's header needs no more memory.
const MOST_OF_HEADER: usize = 1 << 20;

/// An open file.
pub(in crate::store) struct TableReader {
    path: PathBuf,
    table: &'static Table,
    file: File,
    size: u64,
    footer: Footer,
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
        let file = File::open(path).map_err(|source| StoreError::io(path, "opened", source))?;
        let about = file.metadata().map_err(|source| StoreError::io(path, "read", source))?;
        let size = about.len();
        let mut reader = Self { path: path.to_owned(), table, file, size, footer: Footer::default() };
        if !about.is_file() {
            return Err(reader.damaged("it is no file"));
        }
        let end = reader.bytes(size.saturating_sub(footer::USUAL)..size)?;
        let length =
            footer::length(&end).filter(|length| *length <= size).ok_or_else(|| reader.damaged("it does not end as Parquet does"))?;
        let end = if length <= footer::USUAL { end } else { reader.bytes(size - length..size)? };
        reader.footer = footer::read(&end, table).map_err(|reason| reader.damaged(reason))?;
        let version = reader.entry(VERSION_KEY).and_then(|version| version.parse().ok()).unwrap_or(0);
        if version > VERSION {
            return Err(StoreError::LaterVersion { file: reader.path, found: version, known: VERSION });
        }
        match reader.entry(TABLE_KEY) {
            Some(name) if name == table.name => {}
            Some(name) => return Err(reader.damaged(format!("it holds the table `{name}`"))),
            None => return Err(reader.damaged("it does not say which table it holds")),
        }
        if reader.footer.groups.iter().any(|group| group.rows > MOST_ROWS) {
            return Err(reader.damaged("its footer makes no sense"));
        }
        Ok(reader)
    }

    /// An entry of the file's metadata.
    pub fn entry(&self, key: &str) -> Option<&str> {
        self.footer.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.footer.groups.iter().map(|group| group.rows).sum()
    }

    /// Every row.
    pub fn all(&self) -> Vec<Piece> {
        self.footer.groups.iter().enumerate().map(|(position, group)| Piece { group: position, rows: 0..group.rows }).collect()
    }

    /// These rows of the file.
    pub fn pieces(&self, rows: &Range<usize>) -> Vec<Piece> {
        let mut first = 0;
        let mut pieces = Vec::new();
        for (position, group) in self.footer.groups.iter().enumerate() {
            let end = first + group.rows;
            let (from, to) = (rows.start.max(first), rows.end.min(end));
            if from < to {
                pieces.push(Piece { group: position, rows: from - first..to - first });
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
        let length = range.end.checked_sub(range.start).filter(|_| range.end <= self.size).ok_or_else(|| self.damaged("it ends early"))?;
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
            let group = &self.footer.groups[piece.group];
            match group.columns.iter().find(|column| column.descriptor.primitive_type.field_info.name.as_str() == name) {
                None => values.nulls(piece.rows.len()),
                Some(column) => self.chunk(column, group.rows, &piece.rows, kept, &mut values)?,
            }
            kept += piece.rows.len();
        }
        Ok(values)
    }

    fn chunk<V: Values>(
        &self,
        column: &footer::Chunk,
        group_rows: usize,
        wanted: &Range<usize>,
        kept: usize,
        values: &mut V,
    ) -> Result<(), StoreError> {
        let name = &column.descriptor.primitive_type.field_info.name;
        let damaged = |reason: &str| self.damaged(format!("column `{name}`: {reason}"));
        let of_parquet = |error: ParquetError| damaged(&error.to_string());
        let bytes = self.bytes(column.bytes.clone())?;
        check_dictionary(&bytes).map_err(damaged)?;
        let limit = bytes.len();
        let of_pages = PageMetaData::new(0, i64::try_from(group_rows).unwrap_or(i64::MAX), column.compression, column.descriptor.clone());
        let reader = PageReader::new_with_page_meta(Cursor::new(bytes.into()), of_pages, Vec::new(), limit);
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

/// Whether the dictionary with which a chunk may begin can be what it says: its memory is taken before it is read.
fn check_dictionary(chunk: &[u8]) -> Result<(), &'static str> {
    let mut protocol = TCompactInputProtocol::new(chunk, MOST_OF_HEADER);
    // A header that can't be read is reported by whoever reads the page.
    let Ok(header) = PageHeader::read_from_in_protocol(&mut protocol) else { return Ok(()) };
    let Some(dictionary) = header.dictionary_page_header else { return Ok(()) };
    let said = [header.uncompressed_page_size, header.compressed_page_size, dictionary.num_values].map(usize::try_from);
    let [Ok(size), Ok(compressed), Ok(count)] = said else { return Err("its dictionary has less than nothing") };
    // Each text has its length before it.
    if size / GREATEST_RATIO > compressed || count > size / 4 {
        return Err("its dictionary says it is larger than it can be");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars_parquet_format::thrift::protocol::TCompactOutputProtocol;
    use polars_parquet_format::{DictionaryPageHeader, Encoding, PageType};

    use super::*;

    fn checked(size: i32, count: i32) -> Result<(), &'static str> {
        let header = PageHeader {
            type_: PageType::DICTIONARY_PAGE,
            uncompressed_page_size: size,
            compressed_page_size: 20,
            crc: None,
            data_page_header: None,
            index_page_header: None,
            dictionary_page_header: Some(DictionaryPageHeader { num_values: count, encoding: Encoding::PLAIN, is_sorted: None }),
            data_page_header_v2: None,
        };
        let mut bytes = Vec::new();
        header.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes)).expect("written");
        check_dictionary(&bytes)
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = TableReader::open(folder.path(), &crate::store::schema::VISITS);
        assert!(matches!(opened, Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn a_dictionary_that_says_it_is_huge_takes_no_memory() {
        assert_eq!(checked(100, 25), Ok(()));
        assert_eq!(checked(0, 0), Ok(()));
        for (size, count) in [(i32::MAX, 10), (100, i32::MAX), (100, 26), (-1, 1), (1, -1)] {
            assert!(checked(size, count).is_err(), "{size} {count}");
        }
        assert_eq!(check_dictionary(b"no header"), Ok(()));
    }
}
