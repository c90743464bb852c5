//! Reads what `EXEC` names: files, folders, standard input, and the API when an ARN is given.
//!
//! Nothing of the AWS SDK is touched unless an ARN, or a state machine's last failure, is asked for.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tokio::runtime::Runtime;

use super::aws_settings;
use super::exit_code::WrongUsage;
use super::global::GlobalArgs;
use super::output::{redactor, say};
use super::problems::{PassedOver, Problems};
use super::settings::store_folder;
use super::stored::Stored;
use crate::asl::Definition;
use crate::model::arn::ArnError;
use crate::model::{ExecutionArn, Gap, History, StateMachineArn};
use crate::sources::aws::{AwsError, AwsSettings, AwsSource};
use crate::sources::{Collector, DefinitionSet, Exec, Limits, SourceError, collect_path, collect_stream, read_definitions};

/// Which executions.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// Execution ARN, console URL, `-`, or a file or folder of histories
    ///
    /// Files hold the output of `aws stepfunctions get-execution-history` (one page or several), a list of events, a bundle of it with
    /// describe-execution and the definition, one bundle a line, or log records of CloudWatch Logs (`aws logs filter-log-events`, Insights,
    /// exports to S3); gzip and zstd are undone.
    #[arg(value_name = "EXEC")]
    pub execs: Vec<String>,
    /// The state machine of --latest-failed: a name or an ARN
    #[arg(long, value_name = "NAME", requires = "latest_failed")]
    pub state_machine: Option<String>,
    /// The execution of --state-machine that failed last
    #[arg(long, requires = "state_machine", conflicts_with = "execs")]
    pub latest_failed: bool,
    /// Folder or file with definitions, for histories that come without one
    #[arg(long, value_name = "DIR")]
    pub definitions: Option<PathBuf>,
}

/// Reads executions, and remembers what could not be read.
pub struct Loader<'w> {
    global: GlobalArgs,
    /// Where they were read, and what was found there.
    definitions: Option<(PathBuf, DefinitionSet)>,
    limits: Limits,
    words: &'w mut dyn Write,
    problems: usize,
    aws: Option<Aws>,
    stored: Option<Stored>,
}

/// The API, once it is needed.
struct Aws {
    settings: AwsSettings,
    runtime: Runtime,
    by_region: HashMap<String, AwsSource>,
}

/// Takes what is read.
type Sink<'s> = &'s mut dyn FnMut(Result<History, SourceError>);

/// What stood beside executions in an input.
struct Beside {
    /// Whether there was an execution.
    read_some: bool,
    unrelated: PassedOver,
}

impl<'w> Loader<'w> {
    /// Reads the definitions; nothing else yet.
    pub fn new(args: &ExecArgs, global: &GlobalArgs, words: &'w mut dyn Write) -> Self {
        let mut loader =
            Self { global: global.clone(), definitions: None, limits: Limits::default(), words, problems: 0, aws: None, stored: None };
        if let Some(folder) = &args.definitions {
            let (definitions, problems) = read_definitions(folder, &loader.limits);
            loader.definitions = Some((folder.clone(), definitions));
            for problem in problems {
                loader.report(&problem);
            }
        }
        loader
    }

    /// How many inputs, or parts of them, could not be read.
    pub fn problems(&self) -> usize {
        self.problems
    }

    /// Says on stderr what went wrong; the rest goes on.
    pub fn report(&mut self, problem: &dyn std::fmt::Display) {
        self.problems += 1;
        say(self.words, redactor(&self.global), &problem.to_string());
    }

    /// Says something on stderr unless it was asked to be quiet.
    pub fn note(&mut self, text: &str) {
        if !self.global.quiet {
            say(self.words, redactor(&self.global), text);
        }
    }

    /// Says something on stderr that only somebody who looks for the reason of an answer wants to know.
    pub fn detail(&mut self, text: &str) {
        if self.global.verbose > 0 {
            say(self.words, redactor(&self.global), text);
        }
    }

    /// Gives every execution that the arguments name to `take`, one at a time.
    pub fn each(&mut self, args: &ExecArgs, take: &mut dyn FnMut(History)) -> anyhow::Result<()> {
        if let Some(machine) = args.state_machine.as_deref() {
            let arn = self.latest_failed(machine)?;
            take(self.execution(&arn)?);
            return Ok(());
        }
        if args.execs.is_empty() && self.global.store.is_some() {
            return self.all_stored(take);
        }
        if args.execs.is_empty() {
            let text = "which execution? Give an ARN, a console URL, a file, a folder or `-`; or --state-machine NAME --latest-failed";
            return Err(WrongUsage(text.to_owned()).into());
        }
        let execs: Vec<Exec> =
            args.execs.iter().map(|text| text.parse::<Exec>().map_err(|error| no_exec(text, &error))).collect::<Result<_, _>>()?;
        let several = execs.len() > 1;
        // Log records of one execution may stand in several files.
        let collector = Collector::new(&self.limits);
        let mut beside = Vec::new();
        let are_folders = execs.iter().all(|exec| matches!(exec, Exec::Path(path) if path.is_dir()));
        for exec in execs {
            match exec {
                Exec::Arn(arn) if self.global.store.is_some() => match self.stored(arn.as_str()) {
                    Ok(history) => take(history),
                    Err(error) if several => self.report(&format!("{error:#}")),
                    Err(error) => return Err(error),
                },
                Exec::Path(path) if self.is_name_in_store(&path) => match self.stored(&path.to_string_lossy()) {
                    Ok(history) => take(history),
                    Err(error) if several => self.report(&format!("{error:#}")),
                    Err(error) => return Err(error),
                },
                Exec::Arn(arn) => match self.execution(&arn) {
                    Ok(history) => take(history),
                    Err(error) if several => self.report(&format!("{error:#}")),
                    Err(error) => return Err(error),
                },
                Exec::StandardInput => {
                    let read = |limits: &Limits, sink: Sink<'_>| collect_stream(io::stdin(), "standard input", limits, &collector, sink);
                    beside.push(self.read(false, take, read));
                }
                Exec::Path(path) => {
                    let read = |limits: &Limits, sink: Sink<'_>| collect_path(&path, limits, &collector, sink);
                    beside.push(self.read(path.is_dir(), take, read));
                }
            }
        }
        let logs = self.read(are_folders, take, |_, sink| collector.finish(&mut |result| sink(result.map_err(|rejected| rejected.error))));
        let has_logs = logs.read_some;
        let has_read = has_logs || beside.iter().any(|input| input.read_some);
        for input in beside {
            self.tell(&input.unrelated, input.read_some || has_logs);
        }
        self.tell(&logs.unrelated, has_read);
        Ok(())
    }

    /// Whether what is no file may be the name of an execution that the store has.
    fn is_name_in_store(&self, path: &Path) -> bool {
        let is_name = path.components().count() == 1 && !path.exists();
        is_name && (self.global.store.is_some() || store_folder(&self.global).is_ok_and(|folder| folder.is_dir()))
    }

    fn open_store(&mut self) -> anyhow::Result<&Stored> {
        if self.stored.is_none() {
            let folder = store_folder(&self.global)?;
            self.stored = Some(Stored::open(&folder)?);
        }
        self.stored.as_ref().context("the store was opened above")
    }

    /// One execution from the store, by its ARN or its name; `None` when it does not have it.
    pub fn in_store(&mut self, execution: &str) -> anyhow::Result<Option<History>> {
        let found = self.open_store()?.find(execution)?;
        for problem in &found.damaged {
            self.report(problem);
        }
        Ok(found.history.map(|history| self.with_definition(history)))
    }

    fn stored(&mut self, execution: &str) -> anyhow::Result<History> {
        let found = self.in_store(execution)?;
        let folder = store_folder(&self.global)?;
        let missing = || WrongUsage(format!("`{execution}` is no file, and the store {} has no such execution", folder.display()));
        Ok(found.ok_or_else(missing)?)
    }

    fn all_stored(&mut self, take: &mut dyn FnMut(History)) -> anyhow::Result<()> {
        let folder = store_folder(&self.global)?;
        let stored = Stored::open(&folder)?;
        let mut damaged = Vec::new();
        stored.each(&mut |history| take(self.with_definition(history)), &mut |error| damaged.push(error))?;
        for problem in &damaged {
            self.report(problem);
        }
        Ok(())
    }

    fn read(&mut self, is_folder: bool, take: &mut dyn FnMut(History), read: impl FnOnce(&Limits, Sink<'_>)) -> Beside {
        let mut read_some = false;
        let (mut unrelated, mut records) = (PassedOver::default(), Problems::default());
        let limits = self.limits.clone();
        read(&limits, &mut |result| match result {
            Ok(history) => {
                read_some = true;
                self.detail(&format!("read {}: {} events", history.origin, history.events.len()));
                take(self.with_definition(history));
            }
            Err(problem) if problem.is_remark() || is_folder && problem.is_unrelated() => unrelated.add(&problem),
            Err(problem) if problem.fault_of_record().is_some() => records.add(&problem),
            Err(problem) => self.report(&problem),
        });
        for words in records.words() {
            say(self.words, redactor(&self.global), &words);
        }
        self.problems += usize::try_from(records.count()).unwrap_or(usize::MAX);
        Beside { read_some, unrelated }
    }

    /// Says what was passed over: a word beside what was read, and a failure where nothing was.
    fn tell(&mut self, unrelated: &PassedOver, has_read: bool) {
        if has_read {
            for words in unrelated.words(self.definitions.is_some()) {
                self.note(&words);
            }
        } else {
            for words in unrelated.words_of_failure() {
                self.report(&words);
            }
        }
    }

    fn with_definition(&self, mut history: History) -> History {
        if let Some((folder, definitions)) = self.definitions.as_ref().filter(|_| history.definition.is_none()) {
            history.definition = definitions.find(&history.header);
            history.origin.definitions = history.definition.is_some().then(|| folder.display().to_string());
        }
        history
    }

    /// One execution from the API. What did not come of it counts as a problem; whoever renders it says why.
    pub fn execution(&mut self, arn: &ExecutionArn) -> anyhow::Result<History> {
        if arn.is_express() {
            // No credentials would help.
            return Err(AwsError::Express { arn: arn.to_string() }.into());
        }
        let region = arn.region().to_owned();
        self.detail(&format!("asking AWS in {region} for {arn}"));
        let aws = self.connect(&region, Some(&region))?;
        let history = aws.runtime.block_on(aws.by_region[&region].history(arn)).with_context(|| format!("failed to read {arn}"))?;
        self.detail(&format!("read {arn}: {} events", history.events.len()));
        for gap in &history.gaps {
            if let Gap::NotFetched { what, .. } = gap {
                self.report(&format!("{arn}: {what} was not read; the answer says why"));
            }
        }
        Ok(self.with_definition(history))
    }

    fn latest_failed(&mut self, machine: &str) -> anyhow::Result<ExecutionArn> {
        let parsed = machine.parse::<StateMachineArn>().ok();
        let region = parsed.as_ref().map(|arn| arn.region().to_owned());
        let key = region.clone().unwrap_or_default();
        let aws = self.connect(&key, region.as_deref())?;
        let found = aws.runtime.block_on(aws.by_region[&key].latest_failed(machine));
        let found = found.with_context(|| format!("failed to find the last failure of {machine}"))?;
        found.ok_or_else(|| NothingFailed(machine.to_owned()).into())
    }

    /// Asks the API of a region; of the one that the flags and the environment name when `region` is `None`.
    pub fn ask<T>(&mut self, region: Option<&str>, question: impl AsyncFnOnce(&AwsSource) -> T) -> anyhow::Result<T> {
        let key = region.unwrap_or_default().to_owned();
        let aws = self.connect(&key, region)?;
        Ok(aws.runtime.block_on(question(&aws.by_region[&key])))
    }

    fn connect(&mut self, key: &str, region_of_arn: Option<&str>) -> anyhow::Result<&Aws> {
        if self.aws.is_none() {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the network runtime")?;
            let settings = aws_settings::resolve(&self.global, |name| std::env::var(name).ok())?;
            self.aws = Some(Aws { settings, runtime, by_region: HashMap::new() });
        }
        let aws = self.aws.as_mut().context("the runtime was made above")?;
        if !aws.by_region.contains_key(key) {
            let source = aws.runtime.block_on(AwsSource::connect(&aws.settings, region_of_arn)).context("failed to reach AWS")?;
            aws.by_region.insert(key.to_owned(), source);
        }
        Ok(aws)
    }
}

fn no_exec(text: &str, error: &ArnError) -> WrongUsage {
    let machine = text.parse::<StateMachineArn>().is_ok();
    let instead = if machine { "; for its last failure give it as --state-machine ARN --latest-failed" } else { "" };
    WrongUsage(format!("{error}{instead}"))
}

/// A state machine of which no failed execution is on record.
#[derive(Debug, thiserror::Error)]
#[error("no failed execution of {0} is on record; the service keeps them 90 days after their end")]
pub struct NothingFailed(String);

/// The history's definition, parsed; one that can't be read is a gap.
pub fn definition_of(history: &mut History) -> Option<Definition> {
    let text = history.definition.as_ref()?.decode();
    match Definition::parse(&text) {
        Ok(definition) => Some(definition),
        Err(error) => {
            let reason = Some(error.to_string());
            history.gaps.push(Gap::NoDefinition { reason });
            None
        }
    }
}
