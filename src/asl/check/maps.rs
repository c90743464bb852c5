//! Map, and what only a Distributed Map has.

use super::super::source::Node;
use super::expressions::Sight;
use super::fields::{ITEM_BATCHER, ITEM_READER, PROCESSOR, PROCESSOR_CONFIG, READER_CONFIG, RESULT_WRITER, WRITER_CONFIG};
use super::spot::Spot;
use super::{Checker, Code};

/// Fields that a Map which is not distributed must not have.
const DISTRIBUTED_ONLY: [&str; 4] = ["ItemReader", "ItemBatcher", "ResultWriter", "Label"];
/// The longest label, in characters.
const LONGEST_LABEL: usize = 40;

impl<'s> Checker<'s> {
    /// A Map.
    pub(super) fn map(&mut self, map: &Spot<'_, 's>, sight: Sight) {
        self.exactly_one(map, &["ItemProcessor", "Iterator"]);
        self.only_one(map, &["ItemSelector", "Parameters"]);
        for name in ["MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"] {
            self.only_one(map, &[name, &format!("{name}Path")]);
        }
        let Some(processor) = map.member("ItemProcessor").or_else(|| map.member("Iterator")) else { return };
        let config = processor.node.get("ProcessorConfig");
        let is_distributed = config.and_then(|config| config.get("Mode")).and_then(Node::as_str) == Some("DISTRIBUTED");
        self.processor_config(&processor, is_distributed);
        if is_distributed {
            self.distributed(map, Sight::plain(sight.language));
            let express = config.and_then(|config| config.get("ExecutionType")).and_then(Node::as_str) == Some("EXPRESS");
            self.children(&processor, express);
            return;
        }
        for name in DISTRIBUTED_ONLY {
            if let Some(member) = map.node.member(name) {
                self.error(
                    &map.marking(member.name_span),
                    format!("Field '{name}' is only supported in a Map whose Mode is 'DISTRIBUTED'"),
                );
            }
        }
        self.enter(map);
        self.part(&processor, PROCESSOR);
        self.leave();
    }

    fn processor_config(&mut self, processor: &Spot<'_, 's>, is_distributed: bool) {
        let Some(config) = processor.member("ProcessorConfig").filter(|config| config.node.is_object()) else { return };
        self.fields(&config, &[PROCESSOR_CONFIG], Sight::plain(self.language));
        if is_distributed {
            self.required(&config, &["ExecutionType"]);
        }
        if is_distributed && self.express {
            self.error(&config, "Express state machine does not support a Map whose Mode is 'DISTRIBUTED'");
        }
    }

    /// Children of a Distributed Map are executions of their own, which see no variables of the parent.
    fn children(&mut self, processor: &Spot<'_, 's>, express: bool) {
        let outer = std::mem::take(&mut self.outer);
        let parent = std::mem::replace(&mut self.express, express);
        self.part(processor, PROCESSOR);
        (self.outer, self.express) = (outer, parent);
    }

    fn distributed(&mut self, map: &Spot<'_, 's>, sight: Sight) {
        if let Some(label) = map.member("Label") {
            self.label(&label);
        }
        if let Some(reader) = map.member("ItemReader").filter(|reader| reader.node.is_object()) {
            self.fields(&reader, &[ITEM_READER], sight);
            self.required(&reader, &["Resource"]);
            self.of_storage(&reader, &["getObject", "listObjectsV2"]);
            if let Some(config) = reader.member("ReaderConfig").filter(|config| config.node.is_object()) {
                self.fields(&config, &[READER_CONFIG], sight);
                self.only_one(&config, &["MaxItems", "MaxItemsPath"]);
                if config.node.get("CSVHeaderLocation").and_then(Node::as_str) == Some("GIVEN") {
                    self.required(&config, &["CSVHeaders"]);
                }
            }
        }
        if let Some(batcher) = map.member("ItemBatcher").filter(|batcher| batcher.node.is_object()) {
            self.fields(&batcher, &[ITEM_BATCHER], sight);
            self.only_one(&batcher, &["MaxItemsPerBatch", "MaxItemsPerBatchPath"]);
            self.only_one(&batcher, &["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"]);
        }
        if let Some(writer) = map.member("ResultWriter").filter(|writer| writer.node.is_object()) {
            self.fields(&writer, &[RESULT_WRITER], sight);
            self.of_storage(&writer, &["putObject"]);
            if let Some(config) = writer.member("WriterConfig").filter(|config| config.node.is_object()) {
                self.fields(&config, &[WRITER_CONFIG], sight);
            }
        }
    }

    /// `Resource` of a reader or writer.
    fn of_storage(&mut self, holder: &Spot<'_, 's>, actions: &[&str]) {
        let Some(resource) = holder.member("Resource").filter(|resource| !resource.node.is_substitution()) else { return };
        let Some(text) = resource.node.as_str() else { return };
        let action = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":states:::s3:")).map(|(_, action)| action);
        if !action.is_some_and(|action| actions.contains(&action)) {
            self.unrecognized(&resource, text);
        }
    }

    fn label(&mut self, label: &Spot<'_, 's>) {
        if label.node.is_substitution() {
            return;
        }
        let Some(text) = label.node.as_str() else { return self.shape(label, super::fields::Shape::Text, Sight::plain(self.language)) };
        let length = text.chars().count();
        if text.is_empty() {
            self.say(Code::InvalidLabelName, label, "Label cannot be empty");
        } else if length > LONGEST_LABEL {
            self.say(Code::InvalidLabelName, label, format!("Label cannot exceed {LONGEST_LABEL} characters, and this has {length}"));
        } else if let Some(character) = text.chars().find(|character| is_refused(*character)) {
            self.say(Code::InvalidLabelName, label, format!("Label contains invalid character: '{}'", character.escape_debug()));
        } else if !self.labels.insert(text) {
            self.say(Code::DuplicateLabelName, label, format!("Duplicate Label name: {text}"));
        }
    }
}

/// Characters that no label has: blanks, brackets, wildcards, and those that mean something in an ARN or an address.
fn is_refused(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(character)
        || matches!(character, '\u{fffe}' | '\u{ffff}')
}
