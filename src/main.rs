//! The `stepscope` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    stepscope::cli::main()
}
