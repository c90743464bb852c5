//! The footer of a Parquet file, as far as the tables need it.
//!
//! Read with the structures of the format themselves: what `polars-parquet` makes of them panics on some footers that are damaged.

use std::ops::Range;

use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::schema::Repetition;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{ColumnChunk, FieldRepetitionType, FileMetaData, RowGroup, SchemaElement};

use crate::store::encode::file::parquet_type;
use crate::store::schema::Table;

/// So many bytes at the end of a file hold most footers.
pub(super) const USUAL: u64 = 64 << 10;

/// What a footer may become in memory, for each of its bytes.
const GROWTH: usize = 64;

/// What the footer says.
#[derive(Debug, Default)]
pub(super) struct Footer {
    /// Names and values.
    pub entries: Vec<(String, String)>,
    /// In their order in the file.
    pub groups: Vec<Group>,
}

/// A row group.
#[derive(Debug)]
pub(super) struct Group {
    /// How many rows it has.
    pub rows: usize,
    /// Those of its columns that the table describes.
    pub columns: Vec<Chunk>,
}

/// A column of a row group.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Where its pages are.
    pub bytes: Range<u64>,
    /// How they are compressed.
    pub compression: Compression,
    /// What they hold.
    pub descriptor: Descriptor,
}

/// How long the footer is, its frame included, by the last bytes of the file; `None` when it is no Parquet.
pub(super) fn length(end: &[u8]) -> Option<u64> {
    let (rest, magic) = end.split_last_chunk::<4>()?;
    let (_, length) = rest.split_last_chunk::<4>()?;
    (magic == b"PAR1").then(|| u64::from(u32::from_le_bytes(*length)) + 8)
}

/// Reads the footer that stands at the end of these bytes.
pub(super) fn read(end: &[u8], table: &Table) -> Result<Footer, String> {
    let frame = usize::try_from(length(end).ok_or("it does not end as Parquet does")?).map_err(|_| "its footer is too large")?;
    let start = end.len().checked_sub(frame).ok_or("its footer is too large")?;
    let bytes = &end[start..end.len() - 8];
    let mut protocol = TCompactInputProtocol::new(bytes, bytes.len().saturating_mul(GROWTH));
    let found = FileMetaData::read_from_in_protocol(&mut protocol).map_err(|error| format!("its footer can't be read: {error}"))?;
    let entries = found.key_value_metadata.unwrap_or_default();
    let columns = columns_of(&found.schema, table)?;
    Ok(Footer {
        entries: entries.into_iter().filter_map(|entry| Some((entry.key, entry.value?))).collect(),
        groups: found.row_groups.iter().map(|found| group(found, &columns)).collect::<Result<_, _>>()?,
    })
}

/// The columns of the file that the table describes, each as the file has it.
fn columns_of(elements: &[SchemaElement], table: &Table) -> Result<Vec<Descriptor>, String> {
    let mut columns = Vec::new();
    for described in table.columns {
        let Some(element) = elements.iter().skip(1).find(|element| element.name == described.name) else { continue };
        let mut kind = parquet_type(described);
        let (physical, _) = kind.physical_type.into();
        if element.type_ != Some(physical) {
            return Err(format!("column `{}`: it is of another type", described.name));
        }
        let repetition = element.repetition_type.unwrap_or(FieldRepetitionType::REQUIRED);
        kind.field_info.repetition = match repetition {
            FieldRepetitionType::REQUIRED => Repetition::Required,
            FieldRepetitionType::OPTIONAL => Repetition::Optional,
            _ => return Err(format!("column `{}`: it holds lists", described.name)),
        };
        let max_def_level = i16::from(kind.field_info.repetition == Repetition::Optional);
        columns.push(Descriptor { primitive_type: kind, max_def_level, max_rep_level: 0 });
    }
    Ok(columns)
}

fn group(found: &RowGroup, columns: &[Descriptor]) -> Result<Group, String> {
    let rows = usize::try_from(found.num_rows).map_err(|_| "its footer makes no sense")?;
    let columns = columns.iter().map(|column| chunk(&found.columns, column)).collect::<Result<_, _>>()?;
    Ok(Group { rows, columns })
}

fn chunk(chunks: &[ColumnChunk], column: &Descriptor) -> Result<Chunk, String> {
    let name = &column.primitive_type.field_info.name;
    let found = chunks.iter().filter_map(|chunk| chunk.meta_data.as_ref()).find(|found| found.path_in_schema == [name.as_str()]);
    let found = found.ok_or_else(|| format!("column `{name}`: a row group lacks it"))?;
    let start = found.dictionary_page_offset.unwrap_or(found.data_page_offset);
    let place = u64::try_from(start).ok().zip(u64::try_from(found.total_compressed_size).ok());
    let end = place.and_then(|(start, length)| Some((start, start.checked_add(length)?)));
    let (start, end) = end.ok_or_else(|| format!("column `{name}`: its place makes no sense"))?;
    let compression = found.codec.try_into().map_err(|_| format!("column `{name}`: an unknown compression"))?;
    Ok(Chunk { bytes: start..end, compression, descriptor: column.clone() })
}
