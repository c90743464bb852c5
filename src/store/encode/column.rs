//! Columns that are filled value by value; rows without a value cost nothing.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use polars_parquet::parquet::encoding::{Encoding, hybrid_rle};
use polars_parquet::parquet::error::ParquetResult;
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::parquet::statistics::{BinaryStatistics, BooleanStatistics, PrimitiveStatistics};

use crate::store::delta;
use crate::store::schema::{Column as Described, Weight};

use super::file::parquet_type;
use super::pages::{self, Present, Values};

/// What a table does with each of its columns.
pub(super) trait Column: Send {
    /// Ends a row group of so many rows and gives its pages; the column begins anew.
    fn close(&mut self, rows: usize) -> ParquetResult<Vec<CompressedPage>>;

    /// About how many bytes it occupies.
    fn bytes(&self) -> usize;
}

/// A page of texts is compressed when it has grown to this.
const PAGE: usize = 512 * 1024;

/// Longer texts are no bounds of a column.
const LONGEST_BOUND: usize = 128;

/// The least and the greatest text of a column.
#[derive(Default)]
struct Bounds {
    least: Option<Vec<u8>>,
    greatest: Option<Vec<u8>>,
    too_long: bool,
}

impl Bounds {
    fn take(&mut self, text: &[u8]) {
        if self.too_long || text.len() > LONGEST_BOUND {
            self.too_long = true;
            return;
        }
        if self.least.as_deref().is_none_or(|least| text < least) {
            self.least = Some(text.to_vec());
        }
        if self.greatest.as_deref().is_none_or(|greatest| text > greatest) {
            self.greatest = Some(text.to_vec());
        }
    }

    fn statistics(&self, kind: &PrimitiveType, nulls: usize) -> BinaryStatistics {
        let known = !self.too_long;
        BinaryStatistics {
            primitive_type: kind.clone(),
            null_count: i64::try_from(nulls).ok(),
            distinct_count: None,
            min_value: self.least.clone().filter(|_| known),
            max_value: self.greatest.clone().filter(|_| known),
        }
    }
}

/// Texts of which there are few different ones.
pub(super) struct Words {
    kind: PrimitiveType,
    present: Present,
    numbers: HashMap<Box<str>, u32, RandomState>,
    /// The dictionary page as it will be.
    dictionary: Vec<u8>,
    count: u32,
    rows: Vec<u32>,
    /// The text that came last: where it stands in the dictionary, and its number.
    last: (std::ops::Range<usize>, u32),
    bounds: Bounds,
}

impl Words {
    pub fn new(described: &Described) -> Self {
        Self {
            kind: parquet_type(described),
            present: Present::default(),
            numbers: HashMap::default(),
            dictionary: Vec::new(),
            count: 0,
            rows: Vec::new(),
            last: (0..0, 0),
            bounds: Bounds { too_long: described.weight == Weight::Heavy, ..Bounds::default() },
        }
    }

    /// Gives the row this text.
    #[inline]
    pub fn push(&mut self, row: usize, text: &str) {
        let number = self.number(text);
        self.push_number(row, number);
    }

    /// Gives the row a text that has a number in this row group.
    #[inline]
    pub fn push_number(&mut self, row: usize, number: u32) {
        self.present.mark(row);
        self.rows.push(number);
    }

    /// Gives all these rows a text that has a number in this row group.
    pub fn push_all(&mut self, rows: std::ops::Range<usize>, number: u32) {
        self.rows.extend(std::iter::repeat_n(number, rows.len()));
        self.present.mark_all(rows);
    }

    /// The number of a text in this row group.
    #[inline]
    pub fn number(&mut self, text: &str) -> u32 {
        if self.count > 0 && &self.dictionary[self.last.0.clone()] == text.as_bytes() {
            return self.last.1;
        }
        match self.numbers.get(text) {
            Some(number) => *number,
            None => self.add(text),
        }
    }

    fn add(&mut self, text: &str) -> u32 {
        let number = self.add_new(text);
        self.numbers.insert(text.into(), number);
        number
    }

    /// The number of a text that was not there before and will not be looked up.
    pub fn add_new(&mut self, text: &str) -> u32 {
        let number = self.count;
        self.count += 1;
        plain(text.as_bytes(), &mut self.dictionary);
        self.last = (self.dictionary.len() - text.len()..self.dictionary.len(), number);
        self.bounds.take(text.as_bytes());
        number
    }
}

fn plain(text: &[u8], out: &mut Vec<u8>) {
    // A longer text makes a page that is refused when it is written.
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text);
}

impl Column for Words {
    fn close(&mut self, rows: usize) -> ParquetResult<Vec<CompressedPage>> {
        let nulls = rows - self.present.count();
        let bits = u32::BITS - self.count.saturating_sub(1).leading_zeros();
        let mut encoded = vec![u8::try_from(bits).unwrap_or(u8::MAX)];
        hybrid_rle::encode::<u32, _, _>(&mut encoded, self.rows.iter().copied(), bits)?;
        let statistics = self.bounds.statistics(&self.kind, nulls).serialize();
        let values = Values { rows, encoded: &encoded, encoding: Encoding::RleDictionary, statistics };
        let count = self.count as usize;
        let pages = vec![pages::dictionary(&self.dictionary, count)?, pages::data(&self.kind, &self.present, &values)?];
        self.present.begin(0);
        self.numbers.clear();
        self.dictionary.clear();
        self.count = 0;
        self.rows.clear();
        self.last = (0..0, 0);
        self.bounds = Bounds { too_long: self.bounds.too_long, ..Bounds::default() };
        Ok(pages)
    }

    fn bytes(&self) -> usize {
        self.dictionary.len() * 2 + self.rows.len() * 4
    }
}

/// Texts.
pub(super) struct Texts {
    kind: PrimitiveType,
    present: Present,
    page: Vec<u8>,
    pages: Vec<CompressedPage>,
    compressed: usize,
    bounds: Bounds,
    heavy: bool,
}

impl Texts {
    pub fn new(described: &Described) -> Self {
        let heavy = described.weight == Weight::Heavy;
        Self {
            kind: parquet_type(described),
            present: Present::default(),
            page: Vec::new(),
            pages: Vec::new(),
            compressed: 0,
            bounds: Bounds { too_long: heavy, ..Bounds::default() },
            heavy,
        }
    }

    /// Gives the row this text, which must be UTF-8.
    #[inline]
    pub fn push(&mut self, row: usize, text: &[u8]) -> ParquetResult<()> {
        if self.page.len() >= PAGE {
            self.end_page(row)?;
        }
        self.present.mark(row);
        plain(text, &mut self.page);
        if !self.heavy {
            self.bounds.take(text);
        }
        Ok(())
    }

    fn end_page(&mut self, end_row: usize) -> ParquetResult<()> {
        let rows = end_row - self.present.first_row();
        let statistics = self.bounds.statistics(&self.kind, rows - self.present.count()).serialize();
        let values = Values { rows, encoded: &self.page, encoding: Encoding::Plain, statistics };
        let page = pages::data(&self.kind, &self.present, &values)?;
        if let CompressedPage::Data(page) = &page {
            self.compressed += page.compressed_size();
        }
        self.pages.push(page);
        self.page.clear();
        self.present.begin(end_row);
        Ok(())
    }
}

impl Column for Texts {
    fn close(&mut self, rows: usize) -> ParquetResult<Vec<CompressedPage>> {
        if rows > self.present.first_row() {
            self.end_page(rows)?;
        }
        self.present.begin(0);
        self.compressed = 0;
        self.bounds = Bounds { too_long: self.heavy, ..Bounds::default() };
        Ok(std::mem::take(&mut self.pages))
    }

    fn bytes(&self) -> usize {
        self.page.len() + self.compressed
    }
}

/// Whole numbers and moments.
pub(super) struct Integers {
    kind: PrimitiveType,
    present: Present,
    values: Vec<i64>,
}

impl Integers {
    pub fn new(described: &Described) -> Self {
        Self { kind: parquet_type(described), present: Present::default(), values: Vec::new() }
    }

    /// Gives the row this number.
    #[inline]
    pub fn push(&mut self, row: usize, value: i64) {
        self.present.mark(row);
        self.values.push(value);
    }
}

impl Column for Integers {
    fn close(&mut self, rows: usize) -> ParquetResult<Vec<CompressedPage>> {
        let statistics = PrimitiveStatistics::<i64> {
            primitive_type: self.kind.clone(),
            null_count: i64::try_from(rows - self.values.len()).ok(),
            distinct_count: None,
            min_value: self.values.iter().copied().min(),
            max_value: self.values.iter().copied().max(),
        };
        let mut encoded = Vec::new();
        delta::encode(&self.values, &mut encoded);
        let values = Values { rows, encoded: &encoded, encoding: Encoding::DeltaBinaryPacked, statistics: statistics.serialize() };
        let page = pages::data(&self.kind, &self.present, &values)?;
        self.present.begin(0);
        self.values.clear();
        Ok(vec![page])
    }

    fn bytes(&self) -> usize {
        self.values.len() * 8
    }
}

/// Milliseconds with a fraction.
pub(super) struct Doubles {
    kind: PrimitiveType,
    present: Present,
    values: Vec<f64>,
}

impl Doubles {
    pub fn new(described: &Described) -> Self {
        Self { kind: parquet_type(described), present: Present::default(), values: Vec::new() }
    }

    /// Gives the row this number.
    #[inline]
    pub fn push(&mut self, row: usize, value: f64) {
        self.present.mark(row);
        self.values.push(value);
    }
}

impl Column for Doubles {
    fn close(&mut self, rows: usize) -> ParquetResult<Vec<CompressedPage>> {
        let statistics = PrimitiveStatistics::<f64> {
            primitive_type: self.kind.clone(),
            null_count: i64::try_from(rows - self.values.len()).ok(),
            distinct_count: None,
            min_value: self.values.iter().copied().reduce(f64::min),
            max_value: self.values.iter().copied().reduce(f64::max),
        };
        let encoded: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let values = Values { rows, encoded: &encoded, encoding: Encoding::Plain, statistics: statistics.serialize() };
        let page = pages::data(&self.kind, &self.present, &values)?;
        self.present.begin(0);
        self.values.clear();
        Ok(vec![page])
    }

    fn bytes(&self) -> usize {
        self.values.len() * 8
    }
}

/// True or false.
pub(super) struct Flags {
    kind: PrimitiveType,
    present: Present,
    bits: Vec<u8>,
    count: usize,
    seen: [bool; 2],
}

impl Flags {
    pub fn new(described: &Described) -> Self {
        Self { kind: parquet_type(described), present: Present::default(), bits: Vec::new(), count: 0, seen: [false; 2] }
    }

    /// Gives the row this flag.
    #[inline]
    pub fn push(&mut self, row: usize, value: bool) {
        self.present.mark(row);
        if self.count.is_multiple_of(8) {
            self.bits.push(0);
        }
        if let Some(last) = self.bits.last_mut() {
            *last |= u8::from(value) << (self.count % 8);
        }
        self.count += 1;
        self.seen[usize::from(value)] = true;
    }
}

impl Column for Flags {
    fn close(&mut self, rows: usize) -> ParquetResult<Vec<CompressedPage>> {
        let known = self.count > 0;
        let statistics = BooleanStatistics {
            null_count: i64::try_from(rows - self.count).ok(),
            distinct_count: None,
            min_value: known.then_some(!self.seen[0]),
            max_value: known.then_some(self.seen[1]),
        };
        let values = Values { rows, encoded: &self.bits, encoding: Encoding::Plain, statistics: statistics.serialize() };
        let page = pages::data(&self.kind, &self.present, &values)?;
        self.present.begin(0);
        self.bits.clear();
        self.count = 0;
        self.seen = [false; 2];
        Ok(vec![page])
    }

    fn bytes(&self) -> usize {
        self.bits.len()
    }
}
