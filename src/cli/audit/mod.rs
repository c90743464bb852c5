//! `audit`: whether definitions are valid, and what they will do in an outage.
//!
//! | file          | holds                            |
//! |---------------|----------------------------------|
//! | `switched.rs` | files that switch rules off      |
//! | `fixing.rs`   | `--fix` and `--diff`             |

mod fixing;
mod switched;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Fleet, FleetArgs};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{self, TextSettings, redactor, say};
use crate::analysis::audit::fix::Wanted;
use crate::analysis::audit::rule::Level;
use crate::analysis::audit::{AuditReport, Options, Past, audit, catalogue, rules};
use crate::asl::check::MachineType;
use crate::asl::source::LONGEST_TEXT;
use crate::render;
use switched::SwitchFiles;

/// Whether a definition is valid, and what it will do in an outage: each finding with its place, its reason and its fix
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("definitions", |arg| arg.hide(true)),
    after_help = "Examples:
  stepscope audit orders.asl.json
  stepscope audit statemachine/*.asl.yaml --deny warning
  stepscope audit orders.asl.json --fix
  stepscope audit orders.asl.json --diff --unsafe-fixes
  stepscope audit orders.asl.json --type EXPRESS --ignore logging-off
  stepscope audit orders.asl.json --store history/
  stepscope audit statemachine/*.asl.json --format sarif > audit.sarif
  stepscope audit --rules
  aws stepfunctions describe-state-machine --state-machine-arn ARN \\
    | stepscope audit -

Rules are switched off with a reason in a file .stepscope-audit.toml beside the
definition or above it. Substitutions of CloudFormation and SAM such as
${Function} stay as they are. In the output of describe-state-machine, places
are those in the definition's own text."
)]
pub struct AuditArgs {
    /// File with a definition in JSON or YAML, or `-`
    ///
    /// The output of describe-state-machine is understood; a CloudFormation template is not.
    #[arg(value_name = "DEFINITION", required_unless_present = "rules")]
    files: Vec<String>,
    /// The kind of state machine that it is for [default: what describe-state-machine says, else STANDARD]
    #[arg(long = "type", value_enum, ignore_case = true, value_name = "TYPE")]
    machine_type: Option<TypeChoice>,
    /// Exit with code 3 when one of the definitions is not valid
    #[arg(long)]
    exit_status: bool,
    /// Exit with code 3 when one is not valid, or has a finding of this level or a worse one
    #[arg(long, value_enum, value_name = "LEVEL")]
    deny: Option<LevelChoice>,
    /// Only this rule; may be given several times
    #[arg(long = "rule", value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// Not this rule; may be given several times
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// File that switches rules off [default: .stepscope-audit.toml beside the definition or above it]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// No file switches rules off
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
    /// Write fixes into the file, or from `-` to stdout: those that keep what the machine does in good times, or all
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    fix: Option<FixChoice>,
    /// Show what --fix would change, and write nothing
    #[arg(long)]
    diff: bool,
    /// With --fix or --diff: all fixes, also those that change what the machine does
    #[arg(long)]
    unsafe_fixes: bool,
    /// Write SARIF 2.1.0, one log for all definitions
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatChoice>,
    /// List the rules, and look at no definition
    #[arg(long)]
    rules: bool,
    #[command(flatten)]
    fleet: FleetArgs,
}

/// A kind of state machine, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypeChoice {
    #[value(name = "STANDARD")]
    Standard,
    #[value(name = "EXPRESS")]
    Express,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelChoice {
    Error,
    Warning,
    Note,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FixChoice {
    /// Those that keep what the machine does in good times
    Safe,
    /// All
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    Sarif,
}

impl From<TypeChoice> for MachineType {
    fn from(choice: TypeChoice) -> Self {
        match choice {
            TypeChoice::Standard => Self::Standard,
            TypeChoice::Express => Self::Express,
        }
    }
}

impl From<LevelChoice> for Level {
    fn from(choice: LevelChoice) -> Self {
        match choice {
            LevelChoice::Error => Self::Error,
            LevelChoice::Warning => Self::Warning,
            LevelChoice::Note => Self::Note,
        }
    }
}

impl AuditArgs {
    /// Which fixes are asked for, if any.
    fn wanted(&self) -> Option<Wanted> {
        let all = self.unsafe_fixes || self.fix == Some(FixChoice::All);
        (self.fix.is_some() || self.diff).then_some(if all { Wanted::All } else { Wanted::Safe })
    }

    fn check(&self, global: &GlobalArgs) -> Result<(), WrongUsage> {
        let wrong = |text: &str| Err(WrongUsage(text.to_owned()));
        let is_text = global.output == OutputFormat::Text;
        if self.files.iter().filter(|file| *file == "-").count() > 1 {
            return wrong("standard input is one definition; it was named more than once");
        }
        if self.unsafe_fixes && self.wanted().is_none() {
            return wrong("--unsafe-fixes says which fixes; --fix makes them, --diff shows them");
        }
        if self.diff && (!is_text || self.format.is_some()) {
            return wrong("--diff writes a diff, and no other format");
        }
        if self.format.is_some() && !is_text {
            return wrong("give either --format sarif or --output");
        }
        let writes_definition = self.fix.is_some() && !self.diff && self.files.iter().any(|file| file == "-");
        if writes_definition && (self.files.len() > 1 || !is_text || self.format.is_some()) {
            return wrong("--fix writes what it read from standard input to stdout, where nothing else has room");
        }
        if global.output == OutputFormat::Json && self.files.len() > 1 {
            return Err(WrongUsage(format!("{} definitions do not make one document; use --output jsonl", self.files.len())));
        }
        Ok(())
    }

    /// How to look at each definition, but for what a file switches off.
    fn options<'a>(&self, past: Option<&'a Past>) -> Result<Options<'a>, WrongUsage> {
        let ids = |names: &[String]| names.iter().map(|name| rules::named(name).map(|rule| rule.id)).collect::<Result<BTreeSet<_>, _>>();
        Ok(Options {
            machine_type: self.machine_type.map(MachineType::from),
            only: if self.only.is_empty() { None } else { Some(ids(&self.only).map_err(WrongUsage)?) },
            ignored: ids(&self.ignore).map_err(WrongUsage)?,
            switches: None,
            past,
            past_is_own: !self.fleet.state_machine.is_empty() && self.files.len() == 1,
            with_replacements: self.format.is_some(),
        })
    }
}

/// What looking at all definitions gave.
#[derive(Default)]
struct Audited {
    reports: Vec<AuditReport>,
    /// How many could not be looked into, and what else went wrong.
    problems: u64,
}

/// Reads, checks, fixes and writes.
pub fn run(args: &AuditArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    args.check(global)?;
    args.options(None)?;
    if args.rules {
        return list_rules(args, global, out);
    }
    let (past, problems) = past(args, global, words)?;
    let mut audited = Audited { problems, ..Audited::default() };
    let mut switches = SwitchFiles::new(args.config.clone(), args.no_config);
    for name in &args.files {
        let options = args.options(past.as_ref())?;
        match look_into(name, args, options, &mut switches, out) {
            Ok(report) => audited.reports.push(report),
            Err(error) if error.is::<WrongUsage>() => return Err(error),
            Err(error) => {
                audited.problems += 1;
                say(words, redactor(global), &format!("{error:#}"));
            }
        }
    }
    if past.is_some() && !global.quiet {
        for report in audited.reports.iter().filter(|report| report.past.is_none()) {
            say(
                words,
                redactor(global),
                &format!("no execution is of the machine of {}: nothing tells what its findings cost", report.file),
            );
        }
    }
    write(&audited.reports, args, global, out, words)?;
    // What --rule and --ignore leave out matches nothing, and is not for that reason unused.
    if args.only.is_empty() && args.ignore.is_empty() && !global.quiet {
        switches.unused().iter().for_each(|unused| say(words, redactor(global), unused));
    }
    let denied = |report: &AuditReport| {
        let level = args.deny.map(Level::from);
        level.is_some_and(|level| report.is_denied(level)) || (args.exit_status && !report.valid)
    };
    Ok(match (audited.problems, audited.reports.iter().any(denied)) {
        (0, false) => Exit::Done,
        (0, true) => Exit::Found,
        _ => Exit::Failed,
    })
}

fn list_rules(args: &AuditArgs, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let options = args.options(None)?;
    let list =
        catalogue::list(|rule| options.only.as_ref().is_none_or(|only| only.contains(rule.id)) && !options.ignored.contains(rule.id));
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::audit::rules(&list, &settings.styles, settings.width, out)?,
        OutputFormat::Json => output::document(&list, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => {
            list.rules.iter().try_for_each(|rule| output::document(rule, OutputFormat::Jsonl, settings.redactor, out))?
        }
    }
    Ok(Exit::Done)
}

/// What became of executions, where some were given; and how much of them could not be read.
fn past(args: &AuditArgs, global: &GlobalArgs, words: &mut dyn Write) -> anyhow::Result<(Option<Past>, u64)> {
    if args.fleet.input.is_empty() && global.store.is_none() {
        return Ok((None, 0));
    }
    if args.fleet.input.iter().any(|input| input == "-") && args.files.iter().any(|file| file == "-") {
        return Err(WrongUsage("standard input holds either the definition or the executions".to_owned()).into());
    }
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(Past::default)?;
    if let Some(nothing) = fleet.nothing_there(&answer.coverage) {
        fleet.note(&nothing);
    }
    Ok((Some(answer.question), fleet.problems()))
}

/// Looks at one definition, and fixes it where that is wanted; its report is that of what it is then.
fn look_into(
    name: &str,
    args: &AuditArgs,
    options: Options<'_>,
    files: &mut SwitchFiles,
    out: &mut dyn Write,
) -> anyhow::Result<AuditReport> {
    let label = if name == "-" { "standard input" } else { name };
    let bytes = read(name).with_context(|| format!("{label} cannot be read"))?;
    let file = files.of(name)?;
    let report = {
        let switches = file.as_ref().map(|(number, path)| (files.switches(*number), path.clone()));
        let options = Options { switches, ..options };
        let check = |bytes: &[u8]| audit(label, bytes, &options).with_context(|| format!("{label} is no definition"));
        let report = check(&bytes)?;
        match args.wanted().and_then(|wanted| fixing::mend(label, &bytes, &options, wanted)) {
            None => {
                // What reads the pipe gets the text, whatever is wrong with it.
                if name == "-" && args.fix.is_some() && !args.diff {
                    out.write_all(&bytes)?;
                }
                report
            }
            Some(mended) if args.diff => {
                out.write_all(mended.diff(label).as_bytes())?;
                report
            }
            Some(mended) => {
                let changed = if name == "-" {
                    out.write_all(mended.definition().as_bytes())?;
                    mended.file(&bytes)
                } else {
                    mended.write(name, &bytes)?
                };
                let report = changed.map_or(Ok(report), |changed| check(&changed))?;
                AuditReport { fixed: mended.outcome.fixed, unfixed: mended.outcome.unfixed, ..report }
            }
        }
    };
    if let Some((number, path)) = file {
        files.was_used(number, &path, &report.switches_used);
    }
    Ok(report)
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

fn write(reports: &[AuditReport], args: &AuditArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    if args.format == Some(FormatChoice::Sarif) {
        return Ok(render::audit::sarif(reports, env!("CARGO_PKG_VERSION"), &settings.redactor, out)?);
    }
    // The diff, or the definition, has stdout for itself.
    if args.diff {
        return Ok(());
    }
    let is_taken = args.fix.is_some() && args.files.iter().any(|file| file == "-");
    if is_taken && global.quiet {
        return Ok(());
    }
    let out: &mut dyn Write = if is_taken { &mut *words } else { &mut *out };
    match global.output {
        OutputFormat::Text => render::audit::text(reports, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => reports.iter().try_for_each(|report| render::audit::json(report, &settings.redactor, out))?,
        OutputFormat::Jsonl => reports.iter().try_for_each(|report| render::audit::json_line(report, &settings.redactor, out))?,
    }
    Ok(())
}
