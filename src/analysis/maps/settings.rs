//! What a definition says of a Distributed Map: what it tolerates, how many at once, where its results go.
//!
//! Values that are expressions are unknown here: nobody evaluates them.

use serde_json::Value;

/// Parallel and Map states in each other deeper than this are not looked into.
const DEEPEST: usize = 64;

/// The settings of a Distributed Map, as far as they are plain values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MapSettings {
    /// The state's name.
    pub state: String,
    /// `MaxConcurrency`.
    pub max_concurrency: Option<u64>,
    /// `ToleratedFailureCount`.
    pub tolerated_count: Option<u64>,
    /// `ToleratedFailurePercentage`.
    pub tolerated_percentage: Option<f64>,
    /// Whether what is tolerated is told by an expression.
    pub tolerance_is_computed: bool,
    /// Whether it has an ItemBatcher.
    pub batched: bool,
    /// The bucket and the prefix of its ResultWriter, where both are plain values.
    pub writer: Option<(String, String)>,
    /// Whether it has a ResultWriter that writes files.
    pub writes: bool,
    /// `Label`.
    pub label: Option<String>,
}

/// The Distributed Maps of a definition.
pub fn of_definition(definition: &str) -> Vec<MapSettings> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str::<Value>(definition) {
        walk(&value, 0, &mut found);
    }
    found
}

fn walk(machine: &Value, depth: usize, found: &mut Vec<MapSettings>) {
    let Some(states) = machine.get("States").and_then(Value::as_object).filter(|_| depth < DEEPEST) else { return };
    for (name, state) in states {
        let processor = state.get("ItemProcessor").or_else(|| state.get("Iterator"));
        let mode = processor.and_then(|processor| processor.pointer("/ProcessorConfig/Mode")).and_then(Value::as_str);
        if mode == Some("DISTRIBUTED") {
            found.push(settings(name, state));
        }
        let branches = state.get("Branches").and_then(Value::as_array).into_iter().flatten();
        branches.chain(processor).for_each(|inner| walk(inner, depth + 1, found));
    }
}

fn settings(name: &str, state: &Value) -> MapSettings {
    let field = |name: &str| state.get(name);
    let writer = field("ResultWriter");
    let argument = |name: &str| {
        let arguments = writer.and_then(|writer| writer.get("Parameters").or_else(|| writer.get("Arguments")));
        arguments.and_then(|arguments| arguments.get(name)).and_then(Value::as_str).filter(|text| !text.starts_with("{%"))
    };
    let is_text = |name: &str| field(name).is_some_and(Value::is_string);
    MapSettings {
        state: name.to_owned(),
        max_concurrency: field("MaxConcurrency").and_then(Value::as_u64),
        tolerated_count: field("ToleratedFailureCount").and_then(Value::as_u64),
        tolerated_percentage: field("ToleratedFailurePercentage").and_then(Value::as_f64),
        tolerance_is_computed: field("ToleratedFailureCountPath").is_some()
            || field("ToleratedFailurePercentagePath").is_some()
            || is_text("ToleratedFailureCount")
            || is_text("ToleratedFailurePercentage"),
        batched: field("ItemBatcher").is_some(),
        writer: argument("Bucket").map(|bucket| (bucket.to_owned(), argument("Prefix").unwrap_or_default().to_owned())),
        writes: writer.is_some_and(|writer| writer.get("Resource").is_some()),
        label: field("Label").and_then(Value::as_str).map(str::to_owned),
    }
}

/// Where a Map Run's manifest is, by what its ResultWriter was told: the folder has the name of the run.
pub fn manifest_key(prefix: &str, map_run_id: &str) -> String {
    match prefix.trim_end_matches('/') {
        "" => format!("{map_run_id}/manifest.json"),
        prefix => format!("{prefix}/{map_run_id}/manifest.json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_found_wherever_they_stand_and_expressions_are_not_guessed() {
        let processor =
            r#""ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
        let definition = format!(
            r#"{{"States":{{"Both":{{"Type":"Parallel","Branches":[{{"States":{{"Each":{{"Type":"Map","ToleratedFailureCount":5,"MaxConcurrency":40,
            "ItemBatcher":{{"MaxItemsPerBatch":10}},"Label":"each","ResultWriter":{{"Resource":"arn:aws:states:::s3:putObject","Parameters":{{"Bucket":"b","Prefix":"p/"}}}},{processor}}}}}}}]}},
            "Other":{{"Type":"Map","ToleratedFailurePercentage":"{{% $x %}}","ResultWriter":{{"Arguments":{{"Bucket":"{{% $b %}}"}}}},{processor}}},
            "Inline":{{"Type":"Map","ItemProcessor":{{"States":{{}}}}}}}}}}"#
        );
        let found = of_definition(&definition);
        let each = found.iter().find(|map| map.state == "Each").expect("it is there");
        assert_eq!((each.tolerated_count, each.tolerated_percentage, each.max_concurrency), (Some(5), None, Some(40)));
        assert_eq!((each.batched, each.writes, each.writer.clone()), (true, true, Some(("b".to_owned(), "p/".to_owned()))));
        let other = found.iter().find(|map| map.state == "Other").expect("it is there");
        assert_eq!((other.tolerance_is_computed, other.writer.clone(), other.writes), (true, None, false));
        assert_eq!(found.len(), 2);
        assert_eq!(of_definition("no JSON"), []);
        assert_eq!((manifest_key("p/", "1"), manifest_key("", "1")), ("p/1/manifest.json".to_owned(), "1/manifest.json".to_owned()));
    }
}
