//! Rows of CSV as items: objects of strings, one member a column.

use std::rc::Rc;

use super::config::CsvFormat;
use super::read::{Flow, Items};
use super::{DatasetError, Item};
use crate::expr::{Object, Value, java};

/// The service refuses longer headers.
const MOST_HEADER_BYTES: usize = 10 * 1024;

/// Adds each row. Missing fields are empty strings, fields beyond the header are dropped.
pub(super) fn read_rows(bytes: &[u8], format: &CsvFormat<'_>, source: &Rc<str>, items: &mut Items) -> Result<Flow, DatasetError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(format.delimiter).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    let headers: Vec<Rc<str>> = match &format.headers {
        Some(given) => given.iter().map(|&name| Rc::from(name)).collect(),
        None if next_row(&mut reader, &mut record)? => record.iter().map(Rc::from).collect(),
        None => return Err(DatasetError::reader("The CSV file is empty: it has no row of headers.")),
    };
    check_headers(&headers)?;
    // The service writes the columns in the order of a hash table of its making: recorded rows have it (`0`, `{}`, `True` for the
    // header `0,True,{}`), and it shows wherever the output is a list of rows.
    let hashes: Vec<i32> = headers.iter().map(|name| java::hash_text(name)).collect();
    let columns: Vec<(usize, Rc<str>)> = java::hash_table_order(&hashes, 16).into_iter().map(|at| (at, Rc::clone(&headers[at]))).collect();
    let empty: Rc<str> = Rc::from("");
    while next_row(&mut reader, &mut record)? {
        let mut row = Object::with_capacity(columns.len());
        for (at, name) in &columns {
            let field = record.get(*at).filter(|text| !text.is_empty()).map_or_else(|| Rc::clone(&empty), Rc::from);
            row.insert(Rc::clone(name), Value::String(field));
        }
        if items.push(Item { value: row.into(), key: None, source: Rc::clone(source) })? == Flow::Enough {
            return Ok(Flow::Enough);
        }
    }
    Ok(Flow::More)
}

fn check_headers(headers: &[Rc<str>]) -> Result<(), DatasetError> {
    if headers.iter().map(|name| name.len() + 1).sum::<usize>() > MOST_HEADER_BYTES {
        return Err(DatasetError::reader("CSV headers cannot be larger than 10 KiB."));
    }
    let mut sorted: Vec<&Rc<str>> = headers.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(DatasetError::reader("CSV headers cannot contain duplicates."));
    }
    Ok(())
}

fn next_row(reader: &mut csv::Reader<&[u8]>, record: &mut csv::StringRecord) -> Result<bool, DatasetError> {
    reader.read_record(record).map_err(|error| DatasetError::reader(format!("The CSV file could not be read: {error}.")))
}
