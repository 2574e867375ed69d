//! `--config`: a chain from a file.

use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use drag_solver::ConfigError;
use drag_solver::config::{ChainConfig, Registry};
use drag_solver_declared::nearest;

use super::gateway::GatewayConfig;
use super::record;
use super::registry::registry;
use crate::input_file;
use crate::ui::text::{file_name, one_line};

/// A chain is a page or two; a file longer than this, in bytes, is another file.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the chain in the file at `path`, what makes it, and what is around it in `drag-solver serve`.
///
/// # Errors
///
/// One line that says which file, where in it, and what to write.
pub(super) fn parse(path: &Path) -> anyhow::Result<(ChainConfig, Registry, GatewayConfig)> {
    let name = file_name(path);
    let text = read(path).with_context(|| format!("cannot read {name}"))?;
    let mut table: toml::Table =
        toml::from_str(&text).map_err(|error| syntax(&name, &text, &error))?;
    ensure!(
        !["create", "family"]
            .iter()
            .any(|key| table.contains_key(*key)),
        "{name} declares a service, and is no chain: `drag-solver service test` takes it, and a chain names it under \
         [services]"
    );
    let gateway = GatewayConfig::of_table(table.remove("gateway")).with_context(|| name.clone())?;
    // The chain's reader does not know the table that is taken out here.
    let misspelt = table.keys().find(|key| nearest(key, ["gateway"]).is_some());
    if let Some(key) = misspelt {
        let error = ConfigError::unknown_key(key, "did you mean `gateway`?");
        return Err(error).context(name);
    }
    if let Some(key) = GatewayConfig::misplaced(table.keys().map(String::as_str)) {
        let error = ConfigError::new(key, "belongs to the gateway: write it below [gateway]");
        return Err(error).context(name);
    }
    let config = ChainConfig::read(table).with_context(|| name.clone())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let context = record::context().with_base_dir(folder);
    let registry = registry().clone().with_context(context);
    let registry = config.registry(&registry).context(name)?;
    Ok((config, registry, gateway.beside(folder)))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = input_file::read(path, MAX_BYTES)?;
    ensure!(
        image::guess_format(&bytes).is_err(),
        "it is a picture, and a chain's file is TOML: give the picture to `drag-solver solve`"
    );
    String::from_utf8(bytes).context("it is no text in UTF-8: is it the right file?")
}

/// A mistake in the TOML itself. The line is not shown: a token that does not belong there may be in
/// it.
fn syntax(name: &str, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let what = one_line(error.message());
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            anyhow!("{name}, line {line}, column {column}: {what}")
        }
        None => anyhow!("{name}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::config::Chain;

    use super::*;
    use crate::chain::source::ChainSource;
    use crate::chain::store::StoreArgs;

    fn load(path: &Path) -> anyhow::Result<Chain> {
        ChainSource::of_file(path, &StoreArgs::default())?.build()
    }

    fn error(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.toml");
        std::fs::write(&path, text).unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        let folder = folder.path().to_string_lossy().into_owned();
        error.replace(&format!("{folder}/"), "")
    }

    #[test]
    fn a_mistake_is_told_with_its_file_and_place_and_no_token() {
        let syntax = error("deadline = \"1s\"\n[[providers]]\ntoken = \"hunter2");
        assert!(
            syntax.starts_with("chain.toml, line 3, column "),
            "{syntax}"
        );
        assert!(!syntax.contains("hunter2"), "{syntax}");
        assert_eq!(
            error("[[providers]]\nkind = \"sandbox\"\nretry = { max_atempts = 3 }"),
            "chain.toml: unknown key `max_atempts` in providers.sandbox.retry: \
             did you mean `max_attempts`?"
        );
        let token = error("[[providers]]\nkind = \"twocaptcha\"\ntoken = \"hunter2\"");
        assert!(token.contains("{ env = \"NAME\" }"), "{token}");
        assert!(!token.contains("hunter2"), "{token}");
    }

    #[test]
    fn a_key_of_the_gateway_is_told_where_it_belongs() {
        for (key, value) in [("listen", "[]"), ("public_url", "1"), ("workers", "3")] {
            assert_eq!(
                error(&format!(
                    "{key} = {value}\n[[providers]]\nkind = \"sandbox\""
                )),
                format!("chain.toml: {key}: belongs to the gateway: write it below [gateway]")
            );
        }
        let chains = error("deadline = \"1s\"");
        assert!(
            chains.contains("providers: must hold at least one"),
            "{chains}"
        );
    }

    #[test]
    fn a_file_that_is_no_chain_is_refused() {
        let none = format!("{:#}", load(Path::new("/no/such.toml")).unwrap_err());
        assert!(none.starts_with("cannot read /no/such.toml: "), "{none}");
        let picture = error("GIF89a and so on");
        assert!(
            picture.contains("is a picture, and a chain's file is TOML"),
            "{picture}"
        );
        let long = error(&"#".repeat(1024 * 1024 + 1));
        assert!(long.contains("is it the right file?"), "{long}");
    }

    #[test]
    fn the_file_of_a_secret_is_looked_for_beside_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.toml");
        let text = "[[providers]]\nkind = \"twocaptcha\"\ntoken = { file = \"key\" }";
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.path().join("key"), "0123\n").unwrap();
        assert_eq!(load(&path).unwrap().to_string(), "twocaptcha");
    }
}
