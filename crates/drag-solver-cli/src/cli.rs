//! The command line as a whole.

use clap::{ArgAction, ColorChoice, Parser};

use crate::commands::Command;
use crate::help::after_help;

/// Find where to drag: a screenshot in, the two points of its drag out.
#[derive(Debug, Parser)]
#[command(name = "drag-solver", version, after_help = after_help())]
pub(crate) struct Cli {
    /// Show what happens on standard error: -v each attempt, -vv connections too, -vvv everything
    #[arg(short, long, action = ArgAction::Count, global = true, display_order = 100)]
    pub(crate) verbose: u8,

    /// Nothing on standard error but why the command stopped early; the exit status says the rest
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        display_order = 101
    )]
    pub(crate) quiet: bool,

    /// Whether messages are coloured; `auto`: on a terminal, unless `NO_COLOR` is set, or if
    /// `CLICOLOR_FORCE` is
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, display_order = 102)]
    pub(crate) color: ColorChoice,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::chain::registry::built_in;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// The commands that have no other below them.
    fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
        if !command.has_subcommands() {
            return vec![command];
        }
        let below = command
            .get_subcommands()
            .filter(|below| below.get_name() != "help");
        below.flat_map(leaves).collect()
    }

    #[test]
    fn every_command_has_examples_that_are_right() {
        let command = Cli::command();
        for command in leaves(&command) {
            let name = command.get_name();
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(help.starts_with("Examples:\n"), "{name}: {help:?}");
            let lines = help.lines().filter(|line| !line.trim().starts_with('#'));
            let runs = lines.flat_map(|line| line.split('|'));
            let runs: Vec<&str> = runs
                .map(str::trim)
                .filter(|run| run.starts_with("drag-solver "))
                .collect();
            assert!(
                runs.iter().any(|run| run.contains(name)),
                "{name}: {runs:?}"
            );
            for run in runs {
                let run = run.split(['<', '>']).next().unwrap_or_default();
                if let Err(error) = Cli::try_parse_from(run.split_whitespace()) {
                    panic!("{run}: {error}");
                }
            }
        }
    }

    /// What an option of several commands does is told for each.
    #[test]
    fn help_says_of_no_command_what_another_does() {
        let mut command = Cli::command();
        command.build();
        for command in leaves(&command) {
            let (name, mut command) = (command.get_name(), command.clone());
            let help = command.render_long_help().to_string();
            let of_solve = ["skips what is solved", "as in `83,560 -> 320,560"];
            let said = of_solve.map(|words| help.contains(words));
            assert_eq!(said, [name == "solve"; 2], "{name}: {help}");
        }
    }

    #[test]
    fn an_unknown_provider_is_told_the_known_ones() {
        let arguments = ["drag-solver", "solve", "a.png", "--provider", "omocapcha"];
        let error = Cli::try_parse_from(arguments).unwrap_err().to_string();
        for kind in built_in() {
            assert!(error.contains(&kind.name), "{error}");
        }
    }

    #[test]
    fn no_argument_takes_a_token() {
        let mut command = Cli::command();
        let mut help = command.render_long_help().to_string();
        for command in command.get_subcommands_mut() {
            help += &command.render_long_help().to_string();
        }
        assert!(help.contains("--provider") && help.contains("--config"));
        for option in ["--token", "--key", "--api"] {
            assert!(!help.contains(option), "{option}");
        }
    }
}
