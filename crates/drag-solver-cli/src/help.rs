//! What the help says after the options.

use std::fmt::Write as _;

use crate::chain::registry::built_in;

/// Exit statuses and the environment.
pub(crate) fn after_help() -> String {
    let mut environment = String::new();
    for kind in built_in() {
        for variable in &kind.variables {
            let default = variable
                .default
                .as_ref()
                .map(|value| format!("; default {value}"));
            // Writing to a String cannot fail.
            let _ = writeln!(
                environment,
                "  {:<22}  {}: {}{}",
                variable.name,
                kind.name,
                variable.description,
                default.unwrap_or_default()
            );
        }
    }
    format!(
        "\
Exit status:
  0    everything was solved, labelled, reported or found in order
  1    at least one screenshot was not solved, labelled or reported, or a balance is not known
  2    wrong usage or configuration, or a file that cannot be read or written
  3    at least one screenshot cannot be read or used; nothing was sent for it
  130  interrupted (Ctrl-C); 143 if by a request to terminate, 129 if the terminal is gone

Environment:
{environment}  {:<22}  the proxy; the first that is set of this, https_proxy, ALL_PROXY and all_proxy
  {:<22}  hosts that are reached without the proxy; else no_proxy
  {:<22}  if set, nothing is coloured without --color always
  {:<22}  if set, messages are coloured, also where there is no terminal

Without --provider and --config, every provider with a token or key there is asked, in this order. No
option takes a token, because arguments are visible to every user of a machine.

Results go to standard output, everything else to standard error.",
        "HTTPS_PROXY", "NO_PROXY", "NO_COLOR", "CLICOLOR_FORCE"
    )
}
