//! `completion`: a script that completes the program's commands in a shell.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::exit_code::Exit;

/// Print a script that completes commands in a shell
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  source <(stepscope completion bash)
  stepscope completion zsh > ~/.zfunc/_stepscope
  stepscope completion fish > ~/.config/fish/completions/stepscope.fish")]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Writes the script.
pub fn run<C: CommandFactory>(args: &CompletionArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut command = C::command();
    let name = command.get_name().to_owned();
    // The generator panics where a write fails, such as on a closed pipe: it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::{Parser, ValueEnum};

    use super::*;

    #[derive(Parser)]
    #[command(name = "stepscope")]
    enum Program {
        Completion(CompletionArgs),
    }

    #[test]
    fn every_shell_gets_a_script_with_the_verbs() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            run::<Program>(&CompletionArgs { shell: *shell }, &mut script).expect("written");
            assert!(String::from_utf8(script).expect("text").contains("completion"), "{shell}");
        }
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        assert!(run::<Program>(&CompletionArgs { shell: Shell::Bash }, &mut Closed).is_err());
    }
}
