//! The command line: one file per verb; each joins the stages and is imported by nobody.

mod completion;
mod demo;
mod exit_code;
mod global;
mod man;
mod show;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything on the command line.
#[derive(Debug, Parser)]
#[command(name = "stepscope", version, about, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: global::GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let _ = cli.global;
    match cli.verb {}
}
