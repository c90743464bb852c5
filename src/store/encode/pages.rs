//! Values to the pages of a Parquet column: levels, encodings, statistics, compression.
//!
//! | kind of column           | encoding                               |
//! |--------------------------|----------------------------------------|
//! | words                    | dictionary, numbers bit-packed or run-length |
//! | texts, milliseconds, flags | plain                                |
//! | integers, moments        | delta, bit-packed                      |
//!
//! Pages are of the first version: every engine reads them.

use std::cell::RefCell;

use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::encoding::Encoding;
use polars_parquet::parquet::error::ParquetResult;
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{CompressedDataPage, CompressedDictPage, CompressedPage, DataPageHeader, DataPageHeaderV1};
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::parquet::statistics::ParquetStatistics;
use zstd::bulk::Compressor;

use crate::store::delta::uleb128;

/// Zstandard's fastest level: payloads shrink to an eighth.
const LEVEL: i32 = 1;

/// What compressing needs. A context of its own for each page would cost more than many a page does.
#[derive(Default)]
struct Workshop {
    compressor: Option<Compressor<'static>>,
    assembled: Vec<u8>,
    compressed: Vec<u8>,
}

thread_local! {
    // Each worker encodes on its own thread.
    static WORKSHOP: RefCell<Workshop> = RefCell::default();
}

impl Workshop {
    fn compress(&mut self) -> ParquetResult<Vec<u8>> {
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.assembled.len()));
        compressor.compress_to_buffer(&self.assembled, &mut self.compressed)?;
        Ok(self.compressed.as_slice().to_vec())
    }
}

/// A page that ends.
pub(super) struct Values<'a> {
    /// How many rows it covers, those without a value among them.
    pub rows: usize,
    /// The values of the rows that have one, encoded.
    pub encoded: &'a [u8],
    /// How they are.
    pub encoding: Encoding,
    /// The least and the greatest, and how many rows have none.
    pub statistics: ParquetStatistics,
}

/// The page as it stands in the file.
pub(super) fn data(kind: &PrimitiveType, present: &Present, values: &Values<'_>) -> ParquetResult<CompressedPage> {
    let optional = kind.field_info.repetition == Repetition::Optional;
    let (size, compressed) = WORKSHOP.with_borrow_mut(|workshop| {
        let page = &mut workshop.assembled;
        page.clear();
        if optional {
            page.extend_from_slice(&[0; 4]);
            present.levels(values.rows, page);
            let length = u32::try_from(page.len() - 4).unwrap_or(u32::MAX);
            page[..4].copy_from_slice(&length.to_le_bytes());
        }
        page.extend_from_slice(values.encoded);
        Ok::<_, polars_parquet::parquet::error::ParquetError>((page.len(), workshop.compress()?))
    })?;
    let header = DataPageHeader::V1(DataPageHeaderV1 {
        num_values: i32::try_from(values.rows)?,
        encoding: values.encoding.into(),
        definition_level_encoding: Encoding::Rle.into(),
        repetition_level_encoding: Encoding::Rle.into(),
        statistics: Some(values.statistics.clone()),
    });
    let descriptor = Descriptor { primitive_type: kind.clone(), max_def_level: i16::from(optional), max_rep_level: 0 };
    let page = CompressedDataPage::new(header, CowBuffer::Owned(compressed), Compression::Zstd, size, descriptor, values.rows);
    Ok(CompressedPage::Data(page))
}

/// A dictionary page: texts with their lengths before them.
pub(super) fn dictionary(texts: &[u8], count: usize) -> ParquetResult<CompressedPage> {
    let compressed = WORKSHOP.with_borrow_mut(|workshop| {
        workshop.assembled.clear();
        workshop.assembled.extend_from_slice(texts);
        workshop.compress()
    })?;
    Ok(CompressedPage::Dict(CompressedDictPage::new(CowBuffer::Owned(compressed), Compression::Zstd, texts.len(), count, false)))
}

/// Which rows of a page have a value. Rows without one need not be told.
#[derive(Default)]
pub(super) struct Present {
    first_row: usize,
    /// Lowest bit first, as Parquet packs them; may end before the page does.
    bits: Vec<u8>,
    count: usize,
}

impl Present {
    /// The row has a value; rows come in their order.
    #[inline]
    pub fn mark(&mut self, row: usize) {
        let position = row - self.first_row;
        let byte = position / 8;
        if byte >= self.bits.len() {
            self.bits.resize(byte + 1, 0);
        }
        self.bits[byte] |= 1 << (position % 8);
        self.count += 1;
    }

    /// These rows have values; whole bytes of them are marked at once.
    pub fn mark_all(&mut self, rows: std::ops::Range<usize>) {
        let mut row = rows.start;
        while row < rows.end {
            let position = row - self.first_row;
            if position.is_multiple_of(8) && position / 8 >= self.bits.len() && rows.end - row >= 8 {
                self.bits.resize(position / 8, 0);
                self.bits.push(0xff);
                self.count += 8;
                row += 8;
            } else {
                self.mark(row);
                row += 1;
            }
        }
    }

    /// How many rows have a value.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first row of the page.
    pub fn first_row(&self) -> usize {
        self.first_row
    }

    /// Goes on with the page that begins at this row.
    pub fn begin(&mut self, first_row: usize) {
        self.first_row = first_row;
        self.bits.clear();
        self.count = 0;
    }

    /// Definition levels, each 0 or 1: runs of equal bytes as run lengths, the others as they are.
    fn levels(&self, rows: usize, out: &mut Vec<u8>) {
        let bytes = rows.div_ceil(8);
        let byte = |position: usize| self.bits.get(position).copied().unwrap_or(0);
        let (mut literal, mut at) = (0, 0);
        while at < bytes {
            let value = byte(at);
            let mut end = at + 1;
            while end < bytes && byte(end) == value {
                end += 1;
            }
            // A run costs three or four bytes; shorter ones are cheaper among the literals.
            let is_run = end - at >= 8 || (end - at) * 8 >= rows;
            if matches!(value, 0 | 0xff) && is_run {
                self.literals(literal..at, out);
                let length = (end * 8).min(rows) - at * 8;
                uleb128((length as u64) << 1, out);
                out.push(value & 1);
                literal = end;
            }
            at = end;
        }
        self.literals(literal..bytes, out);
    }

    fn literals(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) {
        if range.is_empty() {
            return;
        }
        uleb128((range.len() as u64) << 1 | 1, out);
        let end = out.len() + range.len();
        let known = range.start.min(self.bits.len())..range.end.min(self.bits.len());
        out.extend_from_slice(&self.bits[known]);
        out.resize(end, 0);
    }
}

#[cfg(test)]
mod tests {
    use polars_parquet::parquet::encoding::hybrid_rle::{HybridRleChunk, HybridRleDecoder};

    use super::*;

    fn read_back(encoded: &[u8], rows: usize) -> Vec<bool> {
        let mut found = Vec::new();
        for chunk in HybridRleDecoder::new(encoded, 1, rows).into_chunk_iter() {
            match chunk.expect("levels") {
                HybridRleChunk::Rle(value, length) => found.extend(std::iter::repeat_n(value == 1, length)),
                HybridRleChunk::Bitpacked(values) => {
                    let mut numbers = Vec::new();
                    values.collect_into(&mut numbers);
                    found.extend(numbers.into_iter().map(|value| value == 1));
                }
            }
        }
        found
    }

    #[test]
    fn levels_tell_which_rows_have_a_value() {
        let patterns: [fn(usize) -> bool; 6] =
            [|_| true, |_| false, |row| row % 3 == 0, |row| row < 100, |row| row >= 100, |row| row / 77 % 2 == 0 && row % 500 < 400];
        for pattern in patterns {
            for rows in [1, 7, 8, 9, 63, 64, 65, 1000, 1003] {
                let mut present = Present::default();
                present.begin(5);
                (0..rows).filter(|row| pattern(*row)).for_each(|row| present.mark(row + 5));
                let mut at_once = Present::default();
                at_once.begin(5);
                let mut row = 0;
                while row < rows {
                    let run = (row..rows).take_while(|row| pattern(*row)).count();
                    at_once.mark_all(row + 5..row + 5 + run);
                    row += run + 1;
                }
                assert_eq!((&at_once.bits, at_once.count()), (&present.bits, present.count()));
                let mut encoded = Vec::new();
                present.levels(rows, &mut encoded);
                assert_eq!(read_back(&encoded, rows), (0..rows).map(pattern).collect::<Vec<_>>(), "{rows} rows");
            }
        }
    }
}
