//! Reads the items that an `ItemReader` names.
//!
//! | `Resource`      | `ReaderConfig`                       | items                                       |
//! |-----------------|--------------------------------------|---------------------------------------------|
//! | `getObject`     | `InputType` JSON, JSONL, CSV         | of the object                               |
//! | `getObject`     | `InputType` MANIFEST                 | the rows of the inventory that it describes |
//! | `getObject`     | `ManifestType` ATHENA_DATA           | of the objects that it names                |
//! | `listObjectsV2` |                                      | what the bucket says about its objects      |
//! | `listObjectsV2` | `Transformation` LOAD_AND_FLATTEN    | of all these objects                        |

use std::rc::Rc;

use super::config::{CsvFormat, Format, ReaderConfig};
use super::manifest::{Inventory, athena_files};
use super::object::{Budget, fetch, uri};
use super::{DatasetError, Item, Limits, csv, json};
use crate::expr::Value;
use crate::interpreter::{ObjectSummary, World};

/// What an `ItemReader` asks for, when everything was filled in.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `Resource`.
    pub resource: &'a str,
    /// `Parameters` or `Arguments`.
    pub arguments: &'a Value,
    /// `ReaderConfig`.
    pub config: &'a Value,
    /// `MaxItems`; 0 is as good as none.
    pub max_items: Option<i64>,
    /// How much may be read.
    pub limits: Limits,
}

/// Whether more items are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    Enough,
}

/// Items as they come in, up to what was asked for.
pub(super) struct Items {
    list: Vec<Item>,
    wanted: usize,
    limit: usize,
}

impl Items {
    /// Adds an item.
    pub(super) fn push(&mut self, item: Item) -> Result<Flow, DatasetError> {
        if self.list.len() >= self.limit {
            let advice = format!("the dataset has more than the {} items that are read here; set MaxItems", self.limit);
            return Err(DatasetError::Unavailable(advice));
        }
        self.list.push(item);
        Ok(if self.list.len() >= self.wanted { Flow::Enough } else { Flow::More })
    }
}

/// The items of a state's own input: of an array, or the pairs of an object. `None` for anything else.
pub fn items_of(value: &Value) -> Option<Vec<Item>> {
    let source = Rc::from("STATE_DATA");
    let mut items = Items { list: Vec::new(), wanted: usize::MAX, limit: usize::MAX };
    json::add_value(value, &source, &mut items).ok()??;
    Some(items.list)
}

/// Reads the items of a dataset.
pub fn read(world: &mut dyn World, request: &Request<'_>) -> Result<Vec<Item>, DatasetError> {
    let wanted = match request.max_items {
        None | Some(0) => usize::MAX,
        Some(number) => usize::try_from(number).map_err(|_| DatasetError::reader("field MaxItems must be positive"))?,
    };
    let config = ReaderConfig::parse(request.config)?;
    let items = Items { list: Vec::new(), wanted, limit: request.limits.items };
    let mut reader = Reader { world, items, budget: Budget::new(request.limits.bytes) };
    let bucket = argument(request.arguments, "Bucket")?;
    if request.resource.ends_with(":s3:listObjectsV2") {
        let prefix = request.arguments.get("Prefix").and_then(Value::as_str).unwrap_or_default();
        reader.listing(bucket, prefix, &config)?;
    } else if request.resource.ends_with(":s3:getObject") {
        let key = argument(request.arguments, "Key")?;
        reader.object(bucket, key, &config)?;
    } else {
        return Err(DatasetError::reader(format!("The resource '{}' is not supported for ItemReader.", request.resource)));
    }
    Ok(reader.items.list)
}

/// A text that `Parameters` or `Arguments` must have.
fn argument<'v>(arguments: &'v Value, name: &str) -> Result<&'v str, DatasetError> {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| DatasetError::reader(format!("The field '{name}' is required for ItemReader.")))
}

struct Reader<'w> {
    world: &'w mut dyn World,
    items: Items,
    budget: Budget,
}

impl Reader<'_> {
    fn object(&mut self, bucket: &str, key: &str, config: &ReaderConfig<'_>) -> Result<(), DatasetError> {
        let Some(format) = &config.format else {
            return Err(DatasetError::reader("The field 'InputType' is required for ItemReader."));
        };
        if config.athena_manifest {
            let manifest = fetch(self.world, bucket, key, &mut self.budget)?;
            let files = athena_files(&manifest)?;
            return self.files(files.iter().map(|(bucket, key)| (&**bucket, &**key)), format);
        }
        if matches!(format, Format::Inventory) {
            return self.inventory(bucket, key);
        }
        self.files([(bucket, key)], format)
    }

    /// The items of one file after the other.
    fn files<'f>(&mut self, files: impl IntoIterator<Item = (&'f str, &'f str)>, format: &Format<'_>) -> Result<(), DatasetError> {
        for (bucket, key) in files {
            let bytes = fetch(self.world, bucket, key, &mut self.budget)?;
            let source = uri(bucket, Some(key));
            let flow = match format {
                Format::Json { pointer } => json::read_document(&bytes, *pointer, &source, &mut self.items)?,
                Format::JsonLines => json::read_lines(&bytes, &source, &mut self.items)?,
                Format::Csv(format) => csv::read_rows(&bytes, format, &source, &mut self.items)?,
                Format::Inventory => return Err(DatasetError::reader("A manifest cannot list further manifests.")),
            };
            if flow == Flow::Enough {
                return Ok(());
            }
        }
        // Reported by users of the service; its exact words are not on record.
        if self.items.list.is_empty() && matches!(format, Format::Csv(CsvFormat { headers: None, .. })) {
            return Err(DatasetError::reader("The CSV file contains only CSV headers."));
        }
        Ok(())
    }

    /// The rows of an inventory; their source is the manifest.
    fn inventory(&mut self, bucket: &str, key: &str) -> Result<(), DatasetError> {
        let inventory = Inventory::parse(&fetch(self.world, bucket, key, &mut self.budget)?)?;
        let (format, source) = (inventory.format(), uri(bucket, Some(key)));
        for file in &inventory.keys {
            let bytes = fetch(self.world, &inventory.bucket, file, &mut self.budget)?;
            if csv::read_rows(&bytes, &format, &source, &mut self.items)? == Flow::Enough {
                break;
            }
        }
        Ok(())
    }

    fn listing(&mut self, bucket: &str, prefix: &str, config: &ReaderConfig<'_>) -> Result<(), DatasetError> {
        let objects = self.world.list_objects(bucket, prefix).map_err(|error| DatasetError::object(&error, DatasetError::reader))?;
        if config.flatten {
            let Some(format) = &config.format else {
                return Err(DatasetError::reader("The field 'InputType' is required for the Transformation LOAD_AND_FLATTEN."));
            };
            // A key that ends with a slash stands for a folder and holds nothing.
            let files = objects.iter().filter(|object| !object.key.ends_with('/'));
            return self.files(files.map(|object| (bucket, &*object.key)), format);
        }
        let source = uri(bucket, None);
        for object in &objects {
            let item = Item { value: summary(object), key: None, source: Rc::clone(&source) };
            if self.items.push(item)? == Flow::Enough {
                break;
            }
        }
        Ok(())
    }
}

/// What the service says about an object.
fn summary(object: &ObjectSummary) -> Value {
    Value::object([
        ("Etag", Value::from(&*object.etag)),
        ("LastModified", Value::from(object.last_modified.as_second())),
        ("Key", Value::from(&*object.key)),
        ("Size", Value::from(i64::try_from(object.size).unwrap_or(i64::MAX))),
        ("StorageClass", Value::from("STANDARD")),
    ])
}
