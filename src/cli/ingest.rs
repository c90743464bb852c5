//! `ingest`: puts executions into the store.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::exit_code::Exit;
use super::filling::{Filling, fill};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, redactor, say_what_to_ask};
use super::settings::store_folder;
use crate::analysis::ingest::IngestReport;
use crate::render;

/// Put executions into the store, where every question over many finds them
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope ingest executions.jsonl.gz
  stepscope ingest histories/ --definitions definitions/
  zstdcat export.jsonl.zst | stepscope ingest - --store ./store
  stepscope ingest monday.jsonl tuesday.jsonl --output json | jq .new

Reads what `why` reads, of any size. An execution that the store has is skipped;
one that was running, or was redriven since, is replaced. So the same command
can be run again at any time, also after it was interrupted, and by several at
once. What can't be read is set aside with the reason; the rest is stored.")]
pub struct IngestArgs {
    /// Files or folders of histories, or `-`
    #[arg(value_name = "FILE|DIR|-", required = true)]
    inputs: Vec<String>,
    /// Folder or file with definitions, for histories that come without one
    #[arg(long, value_name = "DIR")]
    definitions: Option<PathBuf>,
    /// Where to set aside records that can't be read [default: in the store's folder `.rejected`]
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
}

/// Reads, stores and says what came of it.
pub fn run(args: &IngestArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let folder = store_folder(global)?;
    let filling = Filling { inputs: &args.inputs, definitions: args.definitions.as_deref(), rejected: args.rejected.as_deref() };
    let (report, is_whole) = fill(&filling, &folder, global, words)?;
    write(&report, global, out)?;
    Ok(if is_whole { Exit::Done } else { Exit::Failed })
}

fn write(report: &IngestReport, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match global.output {
        OutputFormat::Text => {
            let settings = TextSettings::resolve(global);
            render::ingest::text(report, &settings.styles, &settings.redactor, out)?;
            if report.read > 0 {
                say_what_to_ask(global, out)?;
            }
            Ok(())
        }
        format => document(report, format, redactor(global), out),
    }
}
