//! `audit`: whether definitions are valid.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, redactor, say};
use crate::analysis::audit::{AuditReport, audit};
use crate::asl::check::MachineType;
use crate::asl::source::LONGEST_TEXT;
use crate::render;

/// Whether a definition is valid: what the service would say against it, with the place in the source
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope audit orders.asl.json
  stepscope audit statemachine/*.asl.yaml --exit-status
  stepscope audit orders.asl.json --type EXPRESS
  stepscope audit orders.asl.json --output json | jq '.diagnostics[].message'
  aws stepfunctions describe-state-machine --state-machine-arn ARN \\
    | stepscope audit -

Substitutions of CloudFormation and SAM such as ${Function} stay as they are. In
the output of describe-state-machine, places are those in the definition's own
text.")]
pub struct AuditArgs {
    /// File with a definition in JSON or YAML, or `-`
    ///
    /// The output of describe-state-machine is understood; a CloudFormation template is not.
    #[arg(value_name = "DEFINITION", required = true)]
    definitions: Vec<String>,
    /// The kind of state machine that it is for [default: what describe-state-machine says, else STANDARD]
    #[arg(long = "type", value_enum, ignore_case = true, value_name = "TYPE")]
    machine_type: Option<TypeChoice>,
    /// Exit with code 3 when one of the definitions is not valid
    #[arg(long)]
    exit_status: bool,
}

/// A kind of state machine, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypeChoice {
    #[value(name = "STANDARD")]
    Standard,
    #[value(name = "EXPRESS")]
    Express,
}

impl From<TypeChoice> for MachineType {
    fn from(choice: TypeChoice) -> Self {
        match choice {
            TypeChoice::Standard => Self::Standard,
            TypeChoice::Express => Self::Express,
        }
    }
}

/// Reads, checks and writes.
pub fn run(args: &AuditArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    if global.output == OutputFormat::Json && args.definitions.len() > 1 {
        let text = format!("{} definitions do not make one document; use --output jsonl", args.definitions.len());
        return Err(WrongUsage(text).into());
    }
    let mut reports = Vec::new();
    let mut problems = 0;
    for name in &args.definitions {
        match look_into(name, args) {
            Ok(report) => reports.push(report),
            Err(error) => {
                problems += 1;
                say(words, redactor(global), &format!("{error:#}"));
            }
        }
    }
    write(&reports, global, out)?;
    let found = reports.iter().any(|report| !report.valid);
    Ok(match (problems, found && args.exit_status) {
        (0, false) => Exit::Done,
        (0, true) => Exit::Found,
        _ => Exit::Failed,
    })
}

fn look_into(name: &str, args: &AuditArgs) -> anyhow::Result<AuditReport> {
    let label = if name == "-" { "standard input" } else { name };
    let bytes = read(name).with_context(|| format!("{label} cannot be read"))?;
    let options = crate::analysis::audit::Options { machine_type: args.machine_type.map(MachineType::from), ..Default::default() };
    audit(label, &bytes, &options).with_context(|| format!("{label} is no definition"))
}

/// The whole of a file, or a byte more than a definition may have.
fn read(name: &str) -> io::Result<Vec<u8>> {
    let most = LONGEST_TEXT as u64 + 1;
    let mut bytes = Vec::new();
    if name == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else if Path::new(name).is_dir() {
        return Err(io::Error::other("it is a folder; name the files in it"));
    } else {
        File::open(name)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn write(reports: &[AuditReport], global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::audit::text(reports, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => reports.iter().try_for_each(|report| render::audit::json(report, &settings.redactor, out))?,
        OutputFormat::Jsonl => reports.iter().try_for_each(|report| render::audit::json_line(report, &settings.redactor, out))?,
    }
    Ok(())
}
