//! The `stepscope` program.

use std::process::ExitCode;

/// A history is tens of thousands of small pieces: the system's allocator costs a quarter of the time that `why` takes on a large one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stepscope::cli::main()
}
