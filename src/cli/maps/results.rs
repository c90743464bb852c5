//! Files of a ResultWriter to evidence.

use std::path::Path;

use super::bucket::{self, Bucket};
use super::connection::Aws;
use super::inputs::Writers;
use super::{Desk, MapsArgs};
use crate::analysis::maps::{self, Children, Evidence, Lack, MapRunReport, NotKnown, ResultFileReport, Results};
use crate::cli::exit_code::WrongUsage;
use crate::model::{ExecutionStatus, MapChild};
use crate::sources::result_files::{self, Element, Folder, Group, Place, ResultSet};

/// What `--results` holds, and nothing else.
pub fn alone(desk: &mut Desk<'_>) -> anyhow::Result<Vec<MapRunReport>> {
    let place = desk.args.results.clone().unwrap_or_default();
    let mut read = |place: &mut dyn Place, sets: Vec<ResultSet>, told: Vec<String>| -> anyhow::Result<(Vec<Evidence>, Vec<String>)> {
        if sets.len() > 1 && desk.writers.are_wanted() {
            let text = format!("there are results of {} Map Runs, and a file of inputs is of one; name its manifest.json", sets.len());
            return Err(WrongUsage(text).into());
        }
        let mut problems = told;
        let mut found = Vec::new();
        for set in &sets {
            let mut evidence = Evidence::default();
            problems.extend(add(&mut evidence, place, set, None, desk.args, &mut desk.writers, &mut |_| Ok(None))?);
            found.push(evidence);
        }
        Ok((found, problems))
    };
    let (found, problems) = if let Some((bucket, key)) = bucket::parse(&place) {
        let aws = desk.connection.to(None)?;
        let mut bucket = Bucket::new(aws, bucket, key);
        let (sets, told) = sets_in(&mut bucket, key)?;
        read(&mut bucket, sets, told)?
    } else if place.starts_with("s3:") {
        return Err(WrongUsage(format!("`{place}` names no bucket; it looks like s3://BUCKET/PREFIX")).into());
    } else {
        let path = Path::new(&place);
        let mut folder = Folder::new(path).map_err(|error| anyhow::anyhow!("failed to read {place}: {error}"))?;
        let (sets, told) = result_files::find(&mut folder).map_err(|error| anyhow::anyhow!("failed to read {error}"))?;
        read(&mut folder, sets, told)?
    };
    for problem in &problems {
        desk.report(problem);
    }
    Ok(found.into_iter().map(|evidence| maps::report(evidence, desk.args.limit)).collect())
}

/// The results below a prefix, or those of the manifest that has this key, for which nothing needs to be listed.
fn sets_in(bucket: &mut Bucket, key: &str) -> anyhow::Result<(Vec<ResultSet>, Vec<String>)> {
    let failed = |error: String| anyhow::anyhow!("failed to read {error}");
    if key.ends_with("manifest.json") {
        return Ok((vec![result_files::of_manifest(bucket, key).map_err(failed)?], Vec::new()));
    }
    result_files::find(bucket).map_err(failed)
}

/// Reads the results of a run whose manifest is known; what could not be read is returned in words.
pub fn of_manifest(
    evidence: &mut Evidence,
    aws: Aws,
    (bucket, key): (&str, &str),
    args: &MapsArgs,
    writers: &mut Writers,
    look_up: &mut dyn FnMut(&str) -> anyhow::Result<Option<MapChild>>,
) -> anyhow::Result<Result<Vec<String>, String>> {
    let mut place = Bucket::new(aws, bucket, key);
    let set = if key.ends_with("manifest.json") {
        match result_files::of_manifest(&mut place, key) {
            Ok(set) => set,
            Err(problem) => return Ok(Err(problem)),
        }
    } else {
        match result_files::find(&mut place) {
            Ok((sets, _)) if sets.len() == 1 => sets.into_iter().next().unwrap_or_default(),
            Ok((sets, _)) => {
                return Ok(Err(format!(
                    "s3://{bucket}/{key} holds the results of {} Map Runs, not of one; name a manifest.json",
                    sets.len()
                )));
            }
            Err(problem) => return Ok(Err(problem)),
        }
    };
    let batched = evidence.parent.as_ref().and_then(|parent| parent.settings.as_ref()).map(|settings| settings.batched);
    add(evidence, &mut place, &set, batched, args, writers, look_up).map(Ok)
}

/// Reads all files of a run; what could not be read is returned in words. `look_up` finds the input that a record lacks.
fn add(
    evidence: &mut Evidence,
    place: &mut dyn Place,
    set: &ResultSet,
    batched: Option<bool>,
    args: &MapsArgs,
    writers: &mut Writers,
    look_up: &mut dyn FnMut(&str) -> anyhow::Result<Option<MapChild>>,
) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut children = Children::new(batched);
    let mut results = Results { location: set.name.clone(), files: Vec::new(), has_manifest: set.manifest.is_some() };
    let mut failure = None;
    for file in &set.files {
        let name = place.name(&file.path);
        let mut told = ResultFileReport { file: name.clone(), group: file.group.name(), bytes: file.size, ..ResultFileReport::default() };
        if args.failed_only && file.group == Group::Succeeded {
            evidence.incomplete.push(NotKnown { id: Lack::SucceededNotRead, text: format!("{name} was not read (--failed-only)") });
            results.files.push(told);
            continue;
        }
        let outcome = result_files::read(place, file, &mut |element| match element {
            Element::Output => children.take_output(),
            Element::Child(child) => {
                let written = write_input(&child, batched, writers, look_up);
                failure = failure.take().or(written.err());
                children.take(&child, None, true);
            }
        });
        if let Some(error) = failure {
            return Err(error);
        }
        told.was_read = true;
        told.bytes_read = outcome.bytes;
        (told.elements, told.damaged) = (outcome.elements, outcome.damaged);
        for fault in &outcome.faults {
            problems.push(format!("{name}: {fault}"));
        }
        if outcome.damaged > outcome.faults.len() as u64 {
            problems.push(format!("{name}: {} more elements cannot be read", outcome.damaged - outcome.faults.len() as u64));
        }
        if outcome.damaged > 0 {
            evidence
                .incomplete
                .push(NotKnown { id: Lack::ResultsDamaged, text: format!("{name}: {} elements cannot be read", outcome.damaged) });
        }
        let mut lack = |id: Lack, text: String| {
            evidence.incomplete.push(NotKnown { id, text: text.clone() });
            problems.push(text);
        };
        match (&outcome.broke_off, file.size) {
            (Some(reason), _) => {
                // A reason that begins with the file's name says so itself.
                let text = if reason.starts_with(&name) { reason.clone() } else { format!("{name}: {reason}") };
                lack(Lack::ResultsBroken, format!("{text}; counted is what came before"));
            }
            (None, Some(size)) if size != outcome.bytes => {
                lack(Lack::ResultsSize, format!("{name} has {} bytes, and its manifest says {size}", outcome.bytes));
            }
            _ => {}
        }
        told.broke_off = outcome.broke_off;
        results.files.push(told);
    }
    if set.manifest.is_none() {
        let text = "there is no manifest.json beside the files: whether they are all there is not known";
        evidence.incomplete.push(NotKnown { id: Lack::NoManifest, text: text.to_owned() });
    }
    evidence.map_run = evidence.map_run.take().or_else(|| set.manifest.as_ref().and_then(|manifest| manifest.map_run_arn.clone()));
    evidence.children = children;
    evidence.results = Some(results);
    Ok(problems)
}

/// Puts a child's items into the file that is wanted, its input looked up where the record lacks it.
fn write_input(
    child: &MapChild,
    batched: Option<bool>,
    writers: &mut Writers,
    look_up: &mut dyn FnMut(&str) -> anyhow::Result<Option<MapChild>>,
) -> anyhow::Result<()> {
    let is_pending = child.status.is_none();
    let is_failed = child.status.is_some_and(ExecutionStatus::is_unsuccessful);
    if !writers.want(is_failed, is_pending) {
        return Ok(());
    }
    let found = if child.input.is_none() { look_up(&child.arn)? } else { None };
    let input = child.input.as_deref().or_else(|| found.as_ref().and_then(|found| found.input.as_deref()));
    if is_pending { writers.add_pending(&child.arn, input, batched) } else { writers.add_failed(&child.arn, input, batched) }
}
