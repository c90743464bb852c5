//! `man`: the manual pages, made from what `--help` says.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::exit_code::Exit;

/// Print the manual page, or write all pages into a folder
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope man | man -l -
  stepscope man --dir ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Write the page of every verb into this folder; it is made when it is not there
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Writes the program's page to `out`, or with `--dir` every page into a folder, listing the files.
pub fn run<C: CommandFactory>(args: &ManArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut program = C::command();
    program.build();
    let Some(folder) = &args.dir else {
        Man::new(program).render(out)?;
        return Ok(Exit::Done);
    };
    fs::create_dir_all(folder).with_context(|| format!("failed to make the folder `{}`", folder.display()))?;
    for (name, page) in pages(program)? {
        let path = folder.join(name);
        fs::write(&path, page).with_context(|| format!("failed to write `{}`", path.display()))?;
        writeln!(out, "{}", path.display())?;
    }
    Ok(Exit::Done)
}

/// File name and text of the program's page and of each verb's.
fn pages(program: Command) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let verbs: Vec<Command> = program.get_subcommands().filter(|verb| verb.get_name() != "help").cloned().collect();
    std::iter::once(program).chain(verbs).map(page).collect()
}

fn page(command: Command) -> anyhow::Result<(String, Vec<u8>)> {
    let man = Man::new(command);
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok((man.get_filename(), text))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    #[command(name = "stepscope", about = "Explains executions")]
    enum Program {
        Man(ManArgs),
    }

    #[test]
    fn the_programs_page_goes_to_the_output() {
        let mut page = Vec::new();
        run::<Program>(&ManArgs { dir: None }, &mut page).expect("written");
        assert!(String::from_utf8(page).expect("text").contains(".TH stepscope 1"));
    }

    #[test]
    fn a_folder_gets_a_page_for_every_verb() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("man1");
        let mut listed = Vec::new();
        run::<Program>(&ManArgs { dir: Some(dir.clone()) }, &mut listed).expect("written");
        let page = fs::read_to_string(dir.join("stepscope-man.1")).expect("a page of its own");
        assert!(page.contains(".TH stepscope-man 1") && page.contains("Write the page of every verb"), "{page}");
        assert!(dir.join("stepscope.1").exists());
        assert_eq!(String::from_utf8(listed).expect("text").lines().count(), 2);
    }
}
