//! The pages of a column to its values.

use std::ops::Range;

use polars_parquet::parquet::encoding::Encoding;
use polars_parquet::parquet::page::{DataPage, DataPageHeader, DictPage};
use polars_parquet::parquet::schema::Repetition;

use crate::store::delta::{self, read_uleb128};

use super::values::{Doubles, Flags, Integers, NO_INTEGER, NONE, Texts};

/// Why the values of a page could not be told, for a person.
pub(super) type Reason = &'static str;

const SHORT: Reason = "a page ends early";
const ENCODING: Reason = "a page has an encoding that stepscope does not write";
const NUMBERS: Reason = "a page names texts that its dictionary does not have";

const MANY: Reason = "it holds too many texts";

/// What the columns of a kind are read into.
pub(super) trait Values: Default {
    /// Takes the dictionary that the following pages refer to.
    fn dictionary(&mut self, _page: &DictPage) -> Result<(), Reason> {
        Err(ENCODING)
    }

    /// Goes on with another row group.
    fn begin_group(&mut self) {}

    /// Takes the values of a page.
    fn page(&mut self, page: &Split<'_>) -> Result<(), Reason>;

    /// Takes rows without values.
    fn nulls(&mut self, rows: usize);

    /// Keeps these rows of those from `start` on.
    fn keep(&mut self, start: usize, rows: Range<usize>);
}

/// A data page, taken apart.
pub(super) struct Split<'a> {
    /// Runs of rows: how many, and whether they have values. Empty when all have.
    present: Vec<(usize, bool)>,
    rows: usize,
    count: usize,
    encoding: Encoding,
    values: &'a [u8],
}

/// Takes a page apart.
pub(super) fn split(page: &DataPage) -> Result<Split<'_>, Reason> {
    let DataPageHeader::V1(header) = page.header() else { return Err(ENCODING) };
    let encoding = Encoding::try_from(header.encoding).map_err(|_| ENCODING)?;
    let rows = usize::try_from(header.num_values).map_err(|_| SHORT)?;
    let mut values = page.buffer();
    let mut present = Vec::new();
    let mut count = rows;
    if page.descriptor.primitive_type.field_info.repetition == Repetition::Optional {
        let (length, rest) = values.split_first_chunk::<4>().ok_or(SHORT)?;
        let (levels, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(SHORT)?;
        values = rest;
        present = runs_of_levels(levels, rows)?;
        count = present.iter().filter(|(_, present)| *present).map(|(length, _)| length).sum();
    }
    Ok(Split { present, rows, count, encoding, values })
}

/// Runs of rows with and without a value.
fn runs_of_levels(bytes: &[u8], rows: usize) -> Result<Vec<(usize, bool)>, Reason> {
    let mut runs: Vec<(usize, bool)> = Vec::new();
    let mut add = |length: usize, present: bool| match runs.last_mut() {
        Some((known, last)) if *last == present => *known += length,
        _ if length > 0 => runs.push((length, present)),
        _ => {}
    };
    let (mut at, mut left) = (0, rows);
    while left > 0 {
        let header = read_uleb128(bytes, &mut at).ok_or(SHORT)?;
        let length = usize::try_from(header >> 1).map_err(|_| SHORT)?;
        if header & 1 == 0 {
            let level = *bytes.get(at).ok_or(SHORT)?;
            at += 1;
            add(length.min(left), level & 1 == 1);
            left -= length.min(left);
            if length == 0 {
                return Err(SHORT);
            }
            continue;
        }
        let packed = bytes.get(at..).and_then(|rest| rest.get(..length)).filter(|packed| !packed.is_empty()).ok_or(SHORT)?;
        at += length;
        for byte in packed {
            let count = left.min(8);
            if *byte == 0 || *byte == 0xff && count == 8 {
                add(count, *byte != 0);
            } else {
                (0..count).for_each(|bit| add(1, byte >> bit & 1 == 1));
            }
            left -= count;
        }
    }
    Ok(runs)
}

impl Split<'_> {
    /// Lays values out over the rows; rows without one get `none`.
    fn spread<T: Copy>(&self, values: &[T], none: T, out: &mut Vec<T>) -> Result<(), Reason> {
        if values.len() != self.count {
            return Err(SHORT);
        }
        if self.count == self.rows {
            out.extend_from_slice(values);
            return Ok(());
        }
        out.reserve(self.rows);
        let mut rest = values;
        for (length, present) in &self.present {
            if *present {
                let (these, others) = rest.split_at_checked(*length).ok_or(SHORT)?;
                out.extend_from_slice(these);
                rest = others;
            } else {
                out.extend(std::iter::repeat_n(none, *length));
            }
        }
        Ok(())
    }

    fn fixed<const N: usize>(&self) -> Result<impl Iterator<Item = [u8; N]>, Reason> {
        if self.encoding != Encoding::Plain {
            return Err(ENCODING);
        }
        let bytes = self.values.get(..self.count * N).ok_or(SHORT)?;
        Ok(bytes.as_chunks::<N>().0.iter().copied())
    }

    /// The numbers in the dictionary.
    fn numbers(&self) -> Result<Vec<u32>, Reason> {
        let mut numbers = Vec::with_capacity(self.count);
        let Some((width, bytes)) = self.values.split_first() else {
            return if self.count == 0 { Ok(numbers) } else { Err(SHORT) };
        };
        let width = usize::from(*width);
        if width > 32 {
            return Err(SHORT);
        }
        let mut at = 0;
        while numbers.len() < self.count {
            let left = self.count - numbers.len();
            let header = read_uleb128(bytes, &mut at).ok_or(SHORT)?;
            let length = usize::try_from(header >> 1).ok().filter(|length| *length > 0).ok_or(SHORT)?;
            if header & 1 == 0 {
                let number = bytes.get(at..).and_then(|rest| rest.get(..width.div_ceil(8))).ok_or(SHORT)?;
                at += number.len();
                let number = number.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
                numbers.extend(std::iter::repeat_n(number, length.min(left)));
            } else {
                let packed_length = length.checked_mul(width).ok_or(SHORT)?;
                let rest = bytes.get(at..).ok_or(SHORT)?;
                let packed = &rest[..packed_length.min(rest.len())];
                at += packed.len();
                let wanted = length.saturating_mul(8).min(left);
                if packed.len() * 8 < wanted * width {
                    return Err(SHORT);
                }
                unpack(packed, width, wanted, &mut numbers);
            }
        }
        Ok(numbers)
    }
}

/// So many numbers of so many bits, lowest bit first.
fn unpack(packed: &[u8], width: usize, count: usize, out: &mut Vec<u32>) {
    if width == 0 {
        out.extend(std::iter::repeat_n(0, count));
        return;
    }
    let mask = (1_u64 << width) - 1;
    let number = |at: usize| {
        let (byte, bit) = (at * width / 8, at * width % 8);
        let rest = &packed[byte..];
        let word = rest
            .first_chunk::<8>()
            .map_or_else(|| rest.iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), |word| u64::from_le_bytes(*word));
        #[allow(clippy::cast_possible_truncation, reason = "at most 32 bits are left")]
        let number = (word >> bit & mask) as u32;
        number
    };
    out.extend((0..count).map(number));
}

/// Texts with their lengths before them; `count` of them, or fewer when `bytes` end.
fn plain_texts(bytes: &[u8], count: usize, mut take: impl FnMut(&str) -> Result<(), Reason>) -> Result<(), Reason> {
    let mut rest = bytes;
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
        let (text, others) = after.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(SHORT)?;
        take(std::str::from_utf8(text).map_err(|_| "a text is no UTF-8")?)?;
        rest = others;
    }
    Ok(())
}

impl Values for Texts {
    fn dictionary(&mut self, page: &DictPage) -> Result<(), Reason> {
        self.begin_page(page.buffer.len());
        let first = self.count();
        plain_texts(&page.buffer, page.num_values, |text| self.add(text).map(|_| ()).ok_or(MANY))?;
        self.set_dictionary(first);
        Ok(())
    }

    fn begin_group(&mut self) {
        self.set_dictionary(self.count());
    }

    fn page(&mut self, page: &Split<'_>) -> Result<(), Reason> {
        let numbers = match page.encoding {
            Encoding::RleDictionary | Encoding::PlainDictionary => {
                let mut numbers = page.numbers()?;
                for number in &mut numbers {
                    *number = self.in_dictionary(*number).ok_or(NUMBERS)?;
                }
                numbers
            }
            Encoding::Plain => {
                self.begin_page(page.values.len());
                let mut numbers = Vec::with_capacity(page.count);
                plain_texts(page.values, page.count, |text| {
                    numbers.push(self.add(text).ok_or(MANY)?);
                    Ok(())
                })?;
                numbers
            }
            _ => return Err(ENCODING),
        };
        page.spread(&numbers, NONE, &mut self.rows)
    }

    fn nulls(&mut self, rows: usize) {
        self.rows.extend(std::iter::repeat_n(NONE, rows));
    }

    fn keep(&mut self, start: usize, rows: Range<usize>) {
        keep(&mut self.rows, start, rows);
    }
}

/// Keeps only these of the values from `start` on.
fn keep<T>(values: &mut Vec<T>, start: usize, rows: Range<usize>) {
    values.truncate(start + rows.end);
    values.drain(start..(start + rows.start).min(values.len()));
}

impl Values for Integers {
    fn page(&mut self, page: &Split<'_>) -> Result<(), Reason> {
        let mut values = Vec::with_capacity(page.count);
        match page.encoding {
            Encoding::DeltaBinaryPacked => {
                delta::decode(page.values, page.count, &mut |numbers| values.extend_from_slice(numbers)).ok_or(SHORT)?;
            }
            _ => values.extend(page.fixed::<8>()?.map(i64::from_le_bytes)),
        }
        page.spread(&values, NO_INTEGER, &mut self.0)
    }

    fn nulls(&mut self, rows: usize) {
        self.0.extend(std::iter::repeat_n(NO_INTEGER, rows));
    }

    fn keep(&mut self, start: usize, rows: Range<usize>) {
        keep(&mut self.0, start, rows);
    }
}

impl Values for Doubles {
    fn page(&mut self, page: &Split<'_>) -> Result<(), Reason> {
        let values: Vec<f64> = page.fixed::<8>()?.map(f64::from_le_bytes).collect();
        page.spread(&values, f64::NAN, &mut self.0)
    }

    fn nulls(&mut self, rows: usize) {
        self.0.extend(std::iter::repeat_n(f64::NAN, rows));
    }

    fn keep(&mut self, start: usize, rows: Range<usize>) {
        keep(&mut self.0, start, rows);
    }
}

impl Values for Flags {
    fn page(&mut self, page: &Split<'_>) -> Result<(), Reason> {
        if page.encoding != Encoding::Plain {
            return Err(ENCODING);
        }
        let bit = |at: usize| page.values.get(at / 8).map(|byte| Some(byte >> (at % 8) & 1 == 1));
        let values: Option<Vec<_>> = (0..page.count).map(bit).collect();
        page.spread(&values.ok_or(SHORT)?, None, &mut self.0)
    }

    fn nulls(&mut self, rows: usize) {
        self.0.extend(std::iter::repeat_n(None, rows));
    }

    fn keep(&mut self, start: usize, rows: Range<usize>) {
        keep(&mut self.0, start, rows);
    }
}
