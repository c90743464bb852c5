//! `ReaderConfig`: what kind of thing the dataset is.

use super::DatasetError;
use crate::expr::Value;

/// A `ReaderConfig` that was understood.
#[derive(Debug)]
pub(super) struct ReaderConfig<'c> {
    /// `InputType`; `listObjectsV2` needs none.
    pub(super) format: Option<Format<'c>>,
    /// Whether the object lists files of results of Athena, which then have the format.
    pub(super) athena_manifest: bool,
    /// Whether listed objects are read, and their items put together.
    pub(super) flatten: bool,
}

/// `InputType`.
#[derive(Debug)]
pub(super) enum Format<'c> {
    /// `JSON`, with `ItemsPointer`.
    Json { pointer: Option<&'c str> },
    /// `JSONL`.
    JsonLines,
    /// `CSV`.
    Csv(CsvFormat<'c>),
    /// `MANIFEST`: an inventory of S3.
    Inventory,
}

/// How rows of CSV are made.
#[derive(Debug)]
pub(super) struct CsvFormat<'c> {
    /// `CSVHeaders` when `CSVHeaderLocation` is `GIVEN`; otherwise the first row has them.
    pub(super) headers: Option<Vec<&'c str>>,
    /// `CSVDelimiter`.
    pub(super) delimiter: u8,
}

impl<'c> ReaderConfig<'c> {
    /// Understands a `ReaderConfig`. Words that the checker would refuse are refused here as well.
    pub(super) fn parse(config: &'c Value) -> Result<Self, DatasetError> {
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        let format = match text("InputType") {
            None => None,
            Some("JSON") => Some(Format::Json { pointer: text("ItemsPointer") }),
            Some("JSONL") => Some(Format::JsonLines),
            Some("CSV") => Some(Format::Csv(CsvFormat::parse(config)?)),
            Some("MANIFEST") => Some(Format::Inventory),
            Some("PARQUET") => {
                let advice = "datasets in the format PARQUET are not supported here; give the same rows as CSV or JSONL";
                return Err(DatasetError::Unavailable(advice.to_owned()));
            }
            Some(other) => return Err(DatasetError::reader(format!("The value '{other}' is not supported for the field InputType."))),
        };
        let athena_manifest = text("ManifestType") == Some("ATHENA_DATA");
        let flatten = text("Transformation") == Some("LOAD_AND_FLATTEN");
        Ok(Self { format, athena_manifest, flatten })
    }
}

impl<'c> CsvFormat<'c> {
    fn parse(config: &'c Value) -> Result<Self, DatasetError> {
        let delimiter = match config.get("CSVDelimiter").and_then(Value::as_str) {
            None | Some("COMMA") => b',',
            Some("PIPE") => b'|',
            Some("SEMICOLON") => b';',
            Some("SPACE") => b' ',
            Some("TAB") => b'\t',
            Some(other) => return Err(DatasetError::reader(format!("The value '{other}' is not supported for the field CSVDelimiter."))),
        };
        let given = config.get("CSVHeaderLocation").and_then(Value::as_str) == Some("GIVEN");
        let headers = given.then(|| {
            let headers = config.get("CSVHeaders").and_then(Value::as_array).unwrap_or_default();
            headers.iter().filter_map(Value::as_str).collect()
        });
        Ok(Self { headers, delimiter })
    }
}
