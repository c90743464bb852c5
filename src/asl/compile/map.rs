//! The fields of a Map.

use std::rc::Rc;

use super::fields::Fields;
use super::{CompileError, Compiler, Place};
use crate::asl::machine::{Distributed, ItemBatcher, ItemReader, Kind, Map, QueryLanguage, ResultWriter};
use crate::expr::{Object, Template, Value};

impl Compiler {
    pub(super) fn map(&mut self, fields: &Fields<'_>, language: QueryLanguage, place: &Place<'_>) -> Result<Kind, CompileError> {
        let processor = match fields.object("ItemProcessor")? {
            Some(processor) => processor,
            None => fields.object("Iterator")?.ok_or_else(|| fields.error("ItemProcessor is missing"))?,
        };
        let jsonata = language == QueryLanguage::Jsonata;
        let item_selector = match fields.template("ItemSelector", language)? {
            None if !jsonata => fields.template("Parameters", language)?,
            selector => selector,
        };
        let items_path =
            if jsonata || fields.get("ItemsPath").and_then(Value::as_str) == Some("$") { None } else { fields.path("ItemsPath")? };
        Ok(Kind::Map(Box::new(Map {
            distributed: distributed(fields, &processor, language)?,
            processor: self.block(&processor, Some(place.number))?,
            items_path,
            items: if jsonata { fields.template("Items", language)? } else { None },
            item_selector,
            max_concurrency: fields.setting("MaxConcurrency", language)?,
        })))
    }
}

fn distributed(fields: &Fields<'_>, processor: &Fields<'_>, language: QueryLanguage) -> Result<Option<Distributed>, CompileError> {
    let Some(config) = processor.object("ProcessorConfig")? else { return Ok(None) };
    if config.get("Mode").and_then(Value::as_str) != Some("DISTRIBUTED") {
        return Ok(None);
    }
    Ok(Some(Distributed {
        express: config.get("ExecutionType").and_then(Value::as_str) == Some("EXPRESS"),
        label: fields.text("Label")?.cloned(),
        reader: fields.object("ItemReader")?.map(|reader| item_reader(&reader, language)).transpose()?,
        batcher: fields.object("ItemBatcher")?.map(|batcher| item_batcher(&batcher, language)).transpose()?,
        writer: fields.object("ResultWriter")?.map(|writer| result_writer(&writer, language)).transpose()?,
        tolerated_failure_count: fields.setting("ToleratedFailureCount", language)?,
        tolerated_failure_percentage: fields.setting("ToleratedFailurePercentage", language)?,
    }))
}

fn item_reader(fields: &Fields<'_>, language: QueryLanguage) -> Result<ItemReader, CompileError> {
    let config = fields.object("ReaderConfig")?;
    let max_items = config.as_ref().map(|config| config.setting("MaxItems", language)).transpose()?.flatten();
    let rest: Object =
        config.iter().flat_map(|config| config.object.iter()).filter(|(name, _)| !name.starts_with("MaxItems")).map(owned).collect();
    Ok(ItemReader {
        resource: fields.wanted_text("Resource")?.clone(),
        arguments: arguments(fields, "ItemReader/", language)?,
        config: rest.into(),
        max_items,
    })
}

fn item_batcher(fields: &Fields<'_>, language: QueryLanguage) -> Result<ItemBatcher, CompileError> {
    Ok(ItemBatcher {
        max_items: fields.setting("MaxItemsPerBatch", language)?,
        max_input_bytes: fields.setting("MaxInputBytesPerBatch", language)?,
        batch_input: fields.template_in("ItemBatcher/", "BatchInput", language)?,
    })
}

fn result_writer(fields: &Fields<'_>, language: QueryLanguage) -> Result<ResultWriter, CompileError> {
    let config = fields.get("WriterConfig").cloned().unwrap_or_else(|| Object::default().into());
    Ok(ResultWriter { resource: fields.text("Resource")?.cloned(), arguments: arguments(fields, "ResultWriter/", language)?, config })
}

/// `Parameters` or `Arguments`, as the language has it, of the state or of a part of it.
pub(super) fn arguments(fields: &Fields<'_>, part: &str, language: QueryLanguage) -> Result<Option<Template>, CompileError> {
    match language {
        QueryLanguage::JsonPath => fields.template_in(part, "Parameters", language),
        QueryLanguage::Jsonata => fields.template_in(part, "Arguments", language),
    }
}

fn owned((name, value): (&Rc<str>, &Value)) -> (Rc<str>, Value) {
    (name.clone(), value.clone())
}
