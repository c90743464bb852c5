//! How to go on from a Map Run. None of it is run by the program; what changes something says so.

use std::path::Path;

use super::{MapsArgs, Wanted};
use crate::analysis::execution::quoted;
use crate::analysis::maps::{ItemSample, MapRunReport, WrittenInputs};
use crate::analysis::why::NextCommand;
use crate::cli::aws_settings::flags_again;
use crate::cli::global::GlobalArgs;
use crate::model::{ExecutionArn, ExecutionStatus, MapRunName};

/// The commands for one run.
pub fn commands(run: &MapRunReport, wanted: &Wanted, args: &MapsArgs, global: &GlobalArgs, written: &[WrittenInputs]) -> Vec<NextCommand> {
    let mut commands = Vec::new();
    let mut add = |text: &str, command: String| commands.push(NextCommand { text: text.to_owned(), command });
    let own_failure = |sample: &&ItemSample| sample.status != Some(ExecutionStatus::Aborted) && !sample.execution.is_empty();
    if let Some(sample) = run.groups.iter().flat_map(|group| &group.samples).find(own_failure) {
        add("why one of them failed", why(&sample.execution, wanted, args, global));
    }
    let has_failures = run.items.failed_or_timed_out() + run.items.aborted > 0;
    if has_failures && args.failed_inputs.is_none() {
        add(
            "the inputs of the failed items as a file, to run them again",
            format!("{} --failed-inputs failed.json", again(run, wanted, args, global)),
        );
    }
    if run.items.pending > 0 && run.results.is_some() && args.pending_inputs.is_none() {
        add(
            "the inputs of the items that were never started",
            format!("{} --pending-inputs pending.json", again(run, wanted, args, global)),
        );
    }
    for file in written.iter().filter(|file| file.items > 0) {
        let name = quoted(&file.file);
        if !file.file.to_ascii_lowercase().ends_with(".jsonl") {
            add(
                "run the items here, where the Map takes them from the input; --mock answers the tasks",
                format!("stepscope run DEFINITION --input {name}"),
            );
        }
        let key = Path::new(&file.file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        add("hand the items to an ItemReader (this writes to S3)", format!("aws s3 cp {name} {}", quoted(&format!("s3://BUCKET/{key}"))));
    }
    let is_over = matches!(run.status.as_deref(), Some("FAILED" | "ABORTED"));
    let can_be_redriven = run.redrive.status.as_deref().is_none_or(|status| status == "REDRIVABLE");
    if let Some(execution) = run.execution.as_deref().filter(|_| is_over && can_be_redriven) {
        let region = execution.parse::<ExecutionArn>().map(|arn| format!(" --region {}", quoted(arn.region()))).unwrap_or_default();
        add(
            "once it is mended: run the unsuccessful and pending children again, with the same definition and input (within 14 days; this changes \
             the execution)",
            format!("aws stepfunctions redrive-execution --execution-arn {}{region}{}", quoted(execution), flags_again(global)),
        );
    }
    commands
}

/// The command that explains a child.
fn why(child: &str, wanted: &Wanted, args: &MapsArgs, global: &GlobalArgs) -> String {
    match wanted {
        Wanted::Histories(_) if !args.fleet.input.is_empty() => {
            let inputs: Vec<String> = args.fleet.input.iter().map(|input| quoted(input)).collect();
            let definitions =
                args.fleet.definitions.as_ref().map(|folder| format!(" --definitions {}", quoted(&folder.display().to_string())));
            format!("stepscope why {} --execution {}{}", inputs.join(" "), quoted(child), definitions.unwrap_or_default())
        }
        Wanted::Histories(_) => {
            let store = global.store.as_ref().map(|store| format!(" --store {}", quoted(&store.display().to_string())));
            format!("stepscope why {}{}", quoted(child), store.unwrap_or_default())
        }
        _ => format!("stepscope why {}{}", quoted(child), flags_again(global)),
    }
}

/// This command once more, for this run alone.
fn again(run: &MapRunReport, wanted: &Wanted, args: &MapsArgs, global: &GlobalArgs) -> String {
    let mut command = "stepscope maps".to_owned();
    let mut add = |flag: &str, value: &str| command.extend([flag, " ", &quoted(value)]);
    let own = run.map_run.as_deref().filter(|arn| MapRunName::parse(arn).is_some());
    if let Some(arn) = own.filter(|_| !matches!(wanted, Wanted::Results)) {
        add("", arn);
    }
    if let Some(results) = &args.results {
        // One of several is named by its manifest.
        add(" --results", run.results.as_ref().map_or(results, |results| &results.location));
    }
    for input in &args.fleet.input {
        add(" --input", input);
    }
    if let Some(store) = &global.store {
        add(" --store", &store.display().to_string());
    }
    if let Some(folder) = &args.fleet.definitions {
        add(" --definitions", &folder.display().to_string());
    }
    command + &flags_again(global)
}
