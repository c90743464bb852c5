//! Manifests: objects that name the objects in which the items are.

use super::DatasetError;
use super::config::CsvFormat;
use super::json::text_of;
use crate::expr::Value;

/// An inventory of S3: rows about objects, in files of CSV.
#[derive(Debug)]
pub(super) struct Inventory {
    /// Where the files are.
    pub(super) bucket: String,
    /// Their keys.
    pub(super) keys: Vec<String>,
    /// `fileSchema`: names of the columns.
    schema: Vec<String>,
}

impl Inventory {
    /// Reads `manifest.json` of an inventory.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, DatasetError> {
        let manifest =
            Value::parse(text_of(bytes)?).map_err(|error| DatasetError::reader(format!("The manifest could not be read: {error}.")))?;
        let text = |name: &str| {
            let found = manifest.get(name).and_then(Value::as_str);
            found.ok_or_else(|| DatasetError::reader(format!("The manifest has no field '{name}'.")))
        };
        let format = text("fileFormat")?;
        if format != "CSV" {
            return Err(DatasetError::reader(format!("The manifest lists files in the format {format}; only CSV is supported.")));
        }
        let destination = text("destinationBucket")?;
        let bucket = destination.rsplit_once(":::").map_or(destination, |(_, bucket)| bucket).to_owned();
        let schema = text("fileSchema")?.split(',').map(|name| name.trim().to_owned()).collect();
        let files = manifest.get("files").and_then(Value::as_array).unwrap_or_default();
        let keys = files.iter().filter_map(|file| file.get("key").and_then(Value::as_str)).map(str::to_owned).collect();
        Ok(Self { bucket, keys, schema })
    }

    /// How the rows of the files are read.
    pub(super) fn format(&self) -> CsvFormat<'_> {
        CsvFormat { headers: Some(self.schema.iter().map(String::as_str).collect()), delimiter: b',' }
    }
}

/// Bucket and key of each file that a manifest of Athena names: a URI a line.
pub(super) fn athena_files(bytes: &[u8]) -> Result<Vec<(String, String)>, DatasetError> {
    let lines = text_of(bytes)?.lines().map(|line| line.trim().trim_matches('"')).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let path = line.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("s3://")).map(|_| &line[5..]);
            let parts = path.and_then(|path| path.split_once('/')).filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
            let (bucket, key) =
                parts.ok_or_else(|| DatasetError::reader(format!("The manifest has a line that is no URI of S3: {line}")))?;
            Ok((bucket.to_owned(), key.to_owned()))
        })
        .collect()
}
