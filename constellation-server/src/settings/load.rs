//! From the sources to the settings in force: file, environment, flags, and the first admin key.

use std::{
    ffi::OsString,
    fmt, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use super::{
    Settings,
    collect::Collected,
    document::Node,
    fault::{Fault, Source},
    overrides::{Override, from_environment},
    resolve::resolve,
    schema::default_document,
    secret::Secret,
    store::{self, ReadError},
    warning::Warning,
};

const KEYS: &str = "Admin.ApiKeys";

/// Where the settings come from.
pub(crate) struct Sources {
    /// The settings file.
    pub(crate) path: PathBuf,
    /// The environment's variables, all of them.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The flags that set members.
    pub(crate) flags: Vec<Override>,
    /// The machine's processor cores.
    pub(crate) cores: NonZeroUsize,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no file, and the caller needs one.
    #[error("{path} does not exist; `constellation serve` writes it", path = .0.display())]
    Missing(PathBuf),
    /// Settings are wrong; all that are, one a line.
    #[error("{}", Lines(.0))]
    Faults(Vec<Fault>),
    /// The operating system has no randomness for the first admin key.
    #[error("cannot make an admin key")]
    Randomness(#[source] getrandom::Error),
    /// The file cannot be written.
    #[error(
        "cannot write {path}, where the admin key is kept; \
         let this process write there, or set {KEYS} yourself",
        path = .path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

struct Lines<'a>(&'a [Fault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [_] => formatter.write_str("a setting is wrong")?,
            faults => write!(formatter, "{} settings are wrong", faults.len())?,
        }
        self.0
            .iter()
            .try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}

/// Settings to serve with.
pub(crate) struct Prepared {
    /// The settings.
    pub(crate) settings: Settings,
    /// The admin key, when it was made just now: it is in the file, and to be shown once.
    pub(crate) new_key: Option<Secret>,
}

/// The settings in force, without writing anything. A missing file is one without members.
///
/// # Errors
///
/// When the file cannot be read, or settings are wrong.
pub(crate) fn load(sources: &Sources) -> Result<Settings, Error> {
    let file = store::read(&sources.path)?;
    let collected = collect(sources, file.as_ref());
    settings(sources, &collected)
}

/// Like [`load`], for a file that has to be there.
///
/// # Errors
///
/// When there is none, it cannot be read, or settings are wrong.
pub(crate) fn check(sources: &Sources) -> Result<Settings, Error> {
    let Some(file) = store::read(&sources.path)? else {
        return Err(Error::Missing(sources.path.clone()));
    };
    settings(sources, &collect(sources, Some(&file)))
}

/// The settings to serve with. Writes the file when there is none, and makes and stores an admin
/// key when no source gives any. Wrong settings leave the disk as it was.
///
/// # Errors
///
/// When the file cannot be read or written, or settings are wrong.
pub(crate) fn prepare(sources: &Sources) -> Result<Prepared, Error> {
    let file = store::read(&sources.path)?;
    let mut collected = collect(sources, file.as_ref());
    let settings_so_far = settings(sources, &collected)?;
    let new_key = if settings_so_far
        .warnings()
        .contains(&Warning::AdminKeyToCome)
    {
        Some(Secret::generate().map_err(Error::Randomness)?)
    } else {
        None
    };
    if file.is_some() && new_key.is_none() {
        return Ok(Prepared {
            settings: settings_so_far,
            new_key,
        });
    }
    let mut document = file.map_or_else(default_document, |file| file.document);
    if let Some(key) = &new_key {
        let keys = Node::List(vec![Node::Text(key.expose().to_owned())]);
        document.insert(KEYS, keys.clone());
        collected.insert(KEYS, Source::File(sources.path.clone()), keys);
    }
    store::write(&sources.path, &document).map_err(|source| Error::Write {
        path: sources.path.clone(),
        source,
    })?;
    // The file was just written for its owner only.
    collected
        .warnings
        .retain(|warning| !matches!(warning, Warning::ReadableByOthers { .. }));
    Ok(Prepared {
        settings: settings(sources, &collected)?,
        new_key,
    })
}

fn collect(sources: &Sources, file: Option<&store::Stored>) -> Collected {
    let mut collected = Collected::default();
    if let Some(file) = file {
        collected.add_file(&sources.path, &file.document);
        let path = Path::to_owned(&sources.path);
        let warning = file
            .open_mode
            .map(|mode| Warning::ReadableByOthers { path, mode });
        collected.warnings.extend(warning);
    }
    let (overrides, faults) = from_environment(sources.environment.iter().cloned());
    collected.faults.extend(faults);
    collected.add_overrides(&overrides);
    collected.add_overrides(&sources.flags);
    collected
}

fn settings(sources: &Sources, collected: &Collected) -> Result<Settings, Error> {
    let file = Source::File(sources.path.clone());
    resolve(collected, &file, sources.cores).map_err(Error::Faults)
}
