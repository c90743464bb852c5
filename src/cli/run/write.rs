//! Writes executions that were run: on stdout in the form that was asked for, and to files.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use super::RunArgs;
use crate::analysis;
use crate::analysis::run::{RunReport, descendants};
use crate::cli::exit_code::WrongUsage;
use crate::cli::global::{GlobalArgs, OutputFormat};
use crate::cli::load::definition_of;
use crate::cli::output::{TextSettings, document};
use crate::interpreter::Run;
use crate::model::ExecutionStatus;
use crate::model::wire::{WireBundle, WireHistory};
use crate::rebuild::rebuild;
use crate::render;

/// Where executions go, and how they ended so far.
pub struct Written {
    format: OutputFormat,
    several: bool,
    settings: TextSettings,
    history: Option<PathBuf>,
    bundle: Option<(PathBuf, BufWriter<File>)>,
    statuses: Vec<ExecutionStatus>,
}

impl Written {
    /// Opens the files. Several executions do not make one JSON document.
    pub fn new(args: &RunArgs, global: &GlobalArgs, several: bool) -> anyhow::Result<Self> {
        if several && global.output == OutputFormat::Json {
            return Err(WrongUsage("several executions do not make one document; use --output jsonl".to_owned()).into());
        }
        let bundle = args.bundle.as_ref().map(|path| Ok::<_, anyhow::Error>((path.clone(), create(path)?))).transpose()?;
        let settings = TextSettings::resolve(global);
        Ok(Self { format: global.output, several, settings, history: args.history.clone(), bundle, statuses: Vec::new() })
    }

    /// Writes one execution.
    pub fn write(&mut self, run: Run, out: &mut dyn Write) -> anyhow::Result<()> {
        self.statuses.push(run.outcome.status);
        self.keep(&run)?;
        match self.format {
            OutputFormat::Text if self.several => {
                let TextSettings { styles, redactor, width } = &self.settings;
                render::run::line(&analysis::run::run(&run), styles, redactor, *width, out)?;
            }
            OutputFormat::Text => self.screen(run, out)?,
            format => document(&analysis::run::run(&run), format, self.settings.redactor, out)?,
        }
        Ok(())
    }

    /// The path as `show` has it, and what came of it.
    fn screen(&self, mut run: Run, out: &mut dyn Write) -> anyhow::Result<()> {
        let TextSettings { styles, redactor, width } = &self.settings;
        let definition = definition_of(&mut run.history);
        let path = rebuild(&run.history, definition.as_ref());
        let shown = analysis::show::show(&run.history, &path);
        render::show::tree(&shown, styles, redactor, *width, out)?;
        let report: RunReport<'_> = analysis::run::run(&run);
        Ok(render::run::outcome(&report, styles, redactor, *width, out)?)
    }

    /// Payloads stand in files as they are: masked ones could not be run again.
    fn keep(&mut self, run: &Run) -> anyhow::Result<()> {
        if let Some(path) = &self.history {
            let mut file = create(path)?;
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            WireHistory(&run.history).serialize(&mut serde_json::Serializer::with_formatter(&mut file, formatter))?;
            writeln!(file).and_then(|()| file.flush()).with_context(|| format!("failed to write `{}`", path.display()))?;
        }
        if let Some((path, file)) = &mut self.bundle {
            for run in std::iter::once(run).chain(descendants(run)) {
                serde_json::to_writer(&mut *file, &WireBundle(&run.history))?;
                writeln!(file).with_context(|| format!("failed to write `{}`", path.display()))?;
            }
        }
        Ok(())
    }

    /// Writes what is left. Tells whether an execution did not succeed.
    pub fn finish(mut self, out: &mut dyn Write) -> anyhow::Result<bool> {
        if let Some((path, file)) = &mut self.bundle {
            file.flush().with_context(|| format!("failed to write `{}`", path.display()))?;
        }
        if self.several && self.format == OutputFormat::Text {
            writeln!(out, "\n{}", render::run::tally(self.statuses.iter().copied()))?;
        }
        Ok(self.statuses.iter().any(|status| *status != ExecutionStatus::Succeeded))
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("failed to write `{}`", path.display()))?;
    Ok(BufWriter::new(file))
}
