//! `--store`: what outlives the command.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Arg;
use clap::builder::TypedValueParser;
use drag_solver::config::{ChainConfig, StoreConfig};
use drag_solver::http::Secret;
use drag_solver::store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, StoreHandle};
use drag_solver::{ConfigError, DragChallenge, Screenshot};
use secrecy::{ExposeSecret as _, SecretString};

use crate::input_file;
use crate::ui::text::{file_name, shell_word};

/// The variable that says where it is kept.
const VARIABLE: &str = "DRAG_SOLVER_STORE";

/// Where it is kept.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    File(PathBuf),
    /// The variable that has the address of a database.
    Variable(String),
    /// The address itself, which must not be shown.
    Address(SecretString),
}

impl From<OsString> for Place {
    fn from(given: OsString) -> Self {
        match given.to_str() {
            Some(text) if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
                Self::Address(text.into())
            }
            Some(text) if text.starts_with("env:") => {
                Self::Variable(text["env:".len()..].to_owned())
            }
            _ => Self::File(given.into()),
        }
    }
}

impl Place {
    /// Any text is a place: what is wrong with an address is reported later, without showing it.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        clap::builder::OsStringValueParser::new().map(Self::from)
    }

    /// The store as a chain's file would have it.
    fn config(&self) -> anyhow::Result<StoreConfig> {
        Ok(match self {
            Self::File(path) => {
                // A path in a file is beside that file, and this one is where the command runs.
                let path = std::path::absolute(path).context("--store")?;
                let path = path.into_os_string().into_string();
                StoreConfig::new(path.map_err(|path| {
                    anyhow!(
                        "--store {} is no text in UTF-8: choose another name",
                        path.display()
                    )
                })?)
            }
            Self::Variable(name) => StoreConfig::postgres(Secret::env(name)),
            Self::Address(url) => {
                let of_environment = std::env::var(VARIABLE);
                ensure!(
                    of_environment.is_ok_and(|value| value == url.expose_secret()),
                    "--store has an address, and everybody on this machine can see a command line: put the address into \
                     a variable and name that, as in --store env:DATABASE_URL"
                );
                StoreConfig::postgres(Secret::from(url.clone()))
            }
        })
    }
}

/// Where a store is, as a hint shows it.
#[derive(Clone, Debug)]
pub(crate) enum StorePlace {
    /// The option that names it, with a space before it; empty if the variable does.
    Option(String),
    /// It is in a chain's file, and no option has it.
    Unnamed,
}

impl StorePlace {
    pub(crate) fn file(path: &Path) -> Self {
        Self::Option(format!(" --store {}", shell_word(path)))
    }
}

/// The help of `--store` where it says more than where.
pub(crate) fn store_help(arg: Arg, does: &str) -> Arg {
    let help = arg.get_help().map(ToString::to_string);
    arg.help(format!("{}. {does}", help.unwrap_or_default()))
}

/// The option that says where it is kept.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StoreArgs {
    /// The file that keeps what is paid for and what it came to; or env:NAME, the variable that has the address of a
    /// PostgreSQL database
    #[arg(
        long,
        value_name = "FILE",
        env = VARIABLE,
        hide_env_values = true,
        value_parser = Place::parser()
    )]
    store: Option<Place>,

    #[arg(skip)]
    buy_unconfirmed: bool,
}

impl StoreArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.store.is_some()
    }

    /// The file that it is, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.store {
            Some(Place::File(path)) => Some(path),
            _ => None,
        }
    }

    /// Where it is, for a hint.
    pub(crate) fn shown(&self) -> Option<StorePlace> {
        Some(match self.store.as_ref()? {
            Place::File(path) => StorePlace::file(path),
            Place::Variable(name) => {
                StorePlace::Option(format!(" --store {}", shell_word(format!("env:{name}"))))
            }
            // It was taken from the variable, and will be again.
            Place::Address(_) => StorePlace::Option(String::new()),
        })
    }

    /// The same store, where what may be bought is bought again.
    pub(crate) fn buying_unconfirmed(mut self, buy_unconfirmed: bool) -> Self {
        self.buy_unconfirmed |= buy_unconfirmed;
        self
    }

    /// The settings of a chain with this store in them, in place of the one that its file names.
    pub(crate) fn put_into(&self, config: &mut ChainConfig) -> anyhow::Result<()> {
        if let Some(place) = &self.store {
            let place = place.config()?;
            config.store = Some(match config.store.take() {
                Some(store) => store.moved_to(place),
                None => place,
            });
        }
        match &mut config.store {
            Some(store) => store.buy_unconfirmed |= self.buy_unconfirmed,
            None => ensure!(
                !self.buy_unconfirmed,
                "--buy-unconfirmed needs a store: name its file with --store, or set DRAG_SOLVER_STORE"
            ),
        }
        Ok(())
    }

    /// A mistake in the option is told as one of the option, and not of a file.
    pub(crate) fn named(&self, error: ConfigError) -> ConfigError {
        if self.is_given() && ["store.path", "store.url"].contains(&&*error.path()) {
            return error.renamed("--store");
        }
        error
    }

    /// Opens the store, which must be there if it is a file.
    pub(crate) fn open(&self) -> anyhow::Result<StoreHandle> {
        self.open_made_by("`drag-solver solve --store` makes one")
    }

    /// The same where `how` says what makes one.
    pub(crate) fn open_made_by(&self, how: &str) -> anyhow::Result<StoreHandle> {
        let place = self.place()?;
        if let Place::File(path) = place {
            ensure!(
                path.exists(),
                "there is no store {}: {how}",
                file_name(path)
            );
        }
        open(place)
    }

    /// Opens the store, or makes it.
    pub(crate) fn open_or_make(&self) -> anyhow::Result<StoreHandle> {
        open(self.place()?)
    }

    fn place(&self) -> anyhow::Result<&Place> {
        let place = self.store.as_ref();
        place.context("no store: name its file with --store, or set DRAG_SOLVER_STORE")
    }
}

/// How long things are kept may be said in a chain's file, which is not known here: nothing is forgotten.
fn open(place: &Place) -> anyhow::Result<StoreHandle> {
    if let Place::File(path) = place {
        ensure!(
            !input_file::is_special(path),
            "--store {}: it is no regular file: name one, or a file that is not there yet",
            file_name(path)
        );
        let options = SqliteOptions::default().retention(None);
        return Ok(StoreHandle::from(&SqliteStore::open_with(path, options)?));
    }
    Ok(StoreHandle::from(&postgres(place, "--store")?))
}

/// The store in the database that this option names.
pub(crate) fn postgres(place: &Place, option: &str) -> anyhow::Result<PostgresStore> {
    let url = match place {
        Place::File(path) => bail!(
            "{option} {} is no database: name the variable that has its address, as in {option} env:DATABASE_URL",
            path.display()
        ),
        Place::Variable(name) => std::env::var(name)
            .map_err(|_| anyhow!("{option} env:{name}: the variable {name} is not set"))?
            .into(),
        Place::Address(url) => {
            place.config()?;
            url.clone()
        }
    };
    let options = PostgresOptions::default().retention(None);
    Ok(PostgresStore::open(&url, options)?)
}

/// What a screenshot is called in the store unless its user says: the same picture, under the same name and with
/// the same region, is the same challenge.
pub(crate) fn with_default_id(challenge: DragChallenge, name: &str) -> DragChallenge {
    if challenge.id().is_some() {
        return challenge;
    }
    let digest = digest(challenge.screenshot());
    let region = challenge.region().map(|region| format!("-{region}"));
    let id = format!("{name}-{digest}{}", region.unwrap_or_default());
    challenge.with_id(id)
}

/// The first half of the picture's digest, which is more than enough to tell pictures of one name apart.
fn digest(screenshot: &Screenshot) -> String {
    let digest = drag_solver::store::picture_digest(screenshot);
    digest[..8].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // to a String it cannot fail
        text
    })
}

#[cfg(test)]
mod tests {
    use drag_solver::Rect;
    use drag_solver_mock::fixtures;

    use super::*;

    #[test]
    fn the_same_picture_of_the_same_name_and_region_is_the_same_challenge() {
        let id = |challenge: DragChallenge, name| {
            let named = with_default_id(challenge, name);
            named.id().map(str::to_owned).unwrap()
        };
        let first = id(fixtures::challenge(), "a.png");
        assert!(first.starts_with("a.png-"), "{first}");
        assert_eq!(first, id(fixtures::challenge(), "a.png"));
        assert_ne!(first, id(fixtures::challenge(), "b.png"));
        assert_ne!(first, id(fixtures::challenge_sized(9, 9), "a.png"));
        let region = Rect::new(1.0, 2.0, 3.0, 4.0);
        assert_ne!(
            first,
            id(fixtures::challenge().with_region(region).unwrap(), "a.png")
        );
        assert_eq!(id(fixtures::challenge().with_id("mine"), "a.png"), "mine");
    }

    #[test]
    fn a_store_that_is_given_takes_the_place_of_the_path_and_leaves_the_other_settings() {
        let args = StoreArgs {
            store: Some(Place::File("x.db".into())),
            ..StoreArgs::default()
        };
        let mut config = ChainConfig::new([]).store(StoreConfig::new("y.db").buy_unconfirmed(true));
        args.put_into(&mut config).unwrap();
        let store = config.store.unwrap();
        assert!(
            store
                .path
                .as_ref()
                .is_some_and(|path| path.ends_with("x.db") && path.len() > 4),
            "{store:?}"
        );
        assert!(store.buy_unconfirmed);
        let error = StoreArgs::default().open().unwrap_err().to_string();
        assert!(
            error.contains("--store") && error.contains("DRAG_SOLVER_STORE"),
            "{error}"
        );
    }
}
