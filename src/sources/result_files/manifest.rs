//! `manifest.json`: which files there are, and of which Map Run.

use serde::Deserialize;

use super::Group;

/// The name of the file.
pub(super) const NAME: &str = "manifest.json";

/// What a manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The bucket that it was written to.
    pub bucket: Option<String>,
    /// ARN of the Map Run.
    pub map_run_arn: Option<String>,
    failed: Vec<ManifestFile>,
    pending: Vec<ManifestFile>,
    succeeded: Vec<ManifestFile>,
}

/// A file that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManifestFile {
    /// Its key in the bucket.
    pub key: String,
    /// Its bytes.
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    destination_bucket: Option<String>,
    map_run_arn: Option<String>,
    result_files: Files,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Files {
    #[serde(default)]
    failed: Vec<ManifestFile>,
    #[serde(default)]
    pending: Vec<ManifestFile>,
    #[serde(default)]
    succeeded: Vec<ManifestFile>,
}

impl Manifest {
    /// Reads one from its JSON text.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let text: Text = serde_json::from_slice(text)?;
        let Files { failed, pending, succeeded } = text.result_files;
        Ok(Self { bucket: text.destination_bucket, map_run_arn: text.map_run_arn, failed, pending, succeeded })
    }

    /// The files of a group.
    pub fn files(&self, group: Group) -> &[ManifestFile] {
        match group {
            Group::Failed => &self.failed,
            Group::Pending => &self.pending,
            Group::Succeeded => &self.succeeded,
        }
    }
}
