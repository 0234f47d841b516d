//! Where the controller's admin port is and which key opens it: flags, environment, settings file.

use std::{
    ffi::OsString,
    fs, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use awc::http::{
    Uri,
    header::{HeaderName, HeaderValue},
};

use crate::{
    arguments::operator::AdminArguments,
    settings::{
        Admin,
        hostname::Hostname,
        load::{self, Sources},
    },
};

/// The environment variable that holds an admin key.
const KEY_VARIABLE: &str = "CONSTELLATION_ADMIN_KEY";

/// Where a controller is asked, and with which key.
pub(super) struct Connection {
    /// Scheme, host and port.
    pub(super) url: String,
    pub(super) header: HeaderName,
    pub(super) key: HeaderValue,
}

/// Why it cannot be told whom to ask.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The settings file is needed, and cannot be had.
    #[error(transparent)]
    Settings(#[from] load::Error),
    /// The file with the key cannot be read.
    #[error("cannot read the admin key in {path}", path = .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no key.
    #[error(
        "there is no admin key: name a file that holds one with --admin-key-file, put it into \
         {KEY_VARIABLE}, or name the controller's settings file with --config ({path} {why})",
        path = .config.display()
    )]
    NoKey {
        /// The settings file.
        config: PathBuf,
        /// What is with it.
        why: &'static str,
    },
    /// A key that no header can carry.
    #[error("the admin key of {0} is none: it has to be one line of printable ASCII")]
    Key(String),
    /// A header that is none.
    #[error("--admin-key-header {0:?} is not the name of a header")]
    Header(String),
    /// An address that is none.
    #[error("--admin {0:?} is not an address such as http://localhost:8002")]
    Url(String),
    /// The settings have no admin port.
    #[error("{} turns the admin port off (Admin.Port is null); --admin URL names another", .0.display())]
    Off(PathBuf),
    /// The settings leave the port open.
    #[error("{} lets the controller take any free admin port (Admin.Port is 0), which its log \
             names; give it with --admin URL", .0.display())]
    Free(PathBuf),
}

impl Connection {
    /// Finds out; reads the settings only for what the flags and the environment leave open.
    ///
    /// # Errors
    ///
    /// When something is missing or malformed.
    pub(super) fn find(
        arguments: &AdminArguments,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Self, Error> {
        let config = arguments.config.as_path();
        let url = arguments.admin.as_deref().map(url).transpose()?;
        let key = match &arguments.admin_key_file {
            Some(path) => Some(key_file(path)?),
            None => variable(&environment)
                .map(|text| key(text, KEY_VARIABLE))
                .transpose()?,
        };
        let settings = if url.is_some() && key.is_some() {
            None
        } else {
            Some(load::load(&sources(config, environment))?.admin)
        };
        let header = match (&arguments.admin_key_header, &settings) {
            (Some(name), _) => name.clone(),
            (None, Some(settings)) => settings.key_header.clone(),
            (None, None) => "x-api-key".into(),
        };
        let header = HeaderName::try_from(header.as_str()).map_err(|_| Error::Header(header))?;
        let settings = settings.as_ref();
        Ok(Self {
            url: url.map_or_else(|| url_of(settings, config), Ok)?,
            header,
            key: key.map_or_else(|| key_of(settings, config), Ok)?,
        })
    }
}

fn sources(config: &Path, environment: Vec<(OsString, OsString)>) -> Sources {
    Sources {
        path: config.to_owned(),
        environment,
        flags: Vec::new(),
        cores: NonZeroUsize::MIN,
    }
}

/// Checks an address, and takes what stands before its path.
fn url(text: &str) -> Result<String, Error> {
    let wrong = || Error::Url(text.to_owned());
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) if bare && !authority.as_str().contains('@') => {
            Ok(format!("http://{authority}"))
        }
        _ => Err(wrong()),
    }
}

fn url_of(settings: Option<&Admin>, config: &Path) -> Result<String, Error> {
    let Some(settings) = settings else {
        return Ok("http://localhost:8002".into());
    };
    let port = match settings.port {
        None => return Err(Error::Off(config.to_owned())),
        Some(0) => return Err(Error::Free(config.to_owned())),
        Some(port) => port,
    };
    Ok(match &settings.hostname {
        Hostname::Every | Hostname::Loopback => format!("http://localhost:{port}"),
        Hostname::Address(address) if address.is_unspecified() => {
            format!("http://localhost:{port}")
        }
        Hostname::Address(address) if address.is_ipv6() => format!("http://[{address}]:{port}"),
        Hostname::Address(address) => format!("http://{address}:{port}"),
        Hostname::Name(name) => format!("http://{name}:{port}"),
    })
}

fn key_of(settings: Option<&Admin>, config: &Path) -> Result<HeaderValue, Error> {
    let first = settings.and_then(|settings| settings.keys.first());
    let Some(first) = first else {
        return Err(Error::NoKey {
            config: config.to_owned(),
            why: if config.exists() {
                "has none"
            } else {
                "does not exist"
            },
        });
    };
    key(first.expose(), "the settings")
}

fn key_file(path: &Path) -> Result<HeaderValue, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::KeyFile {
        path: path.to_owned(),
        source,
    })?;
    key(text.trim(), &path.display().to_string())
}

fn key(text: &str, source: &str) -> Result<HeaderValue, Error> {
    let none = || Error::Key(source.to_owned());
    let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::try_from(text).map_err(|_| none())?;
    is_key.then_some(value).ok_or_else(none)
}

fn variable(environment: &[(OsString, OsString)]) -> Option<&str> {
    let (_, value) = environment.iter().find(|(name, _)| name == KEY_VARIABLE)?;
    // What is no UTF-8 is no key either, and is told so.
    Some(value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_no_path() {
        assert_eq!(url("http://h:1").unwrap(), "http://h:1");
        assert_eq!(url("http://[::1]:8002/").unwrap(), "http://[::1]:8002");
        for wrong in [
            "h",
            "h:1",
            "https://h",
            "http://h/x",
            "http://u:p@h",
            "http://h?x",
            "",
        ] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_that_listen_everywhere_are_asked_on_this_machine() {
        let at = |hostname: &str| {
            let admin = Admin {
                hostname: Hostname::parse(hostname).unwrap(),
                port: Some(7),
                key_header: "x".into(),
                keys: Vec::new(),
            };
            url_of(Some(&admin), Path::new("c")).unwrap()
        };
        for everywhere in ["*", "localhost", "0.0.0.0", "::"] {
            assert_eq!(at(everywhere), "http://localhost:7");
        }
        assert_eq!(at("::1"), "http://[::1]:7");
        assert_eq!(at("node.example"), "http://node.example:7");
    }
}
