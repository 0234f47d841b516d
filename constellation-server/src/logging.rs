//! Where log records go: the console, a file, or both.
//!
//! Never logs anything itself, and never decides what is worth logging.

use std::{
    fs::{self, OpenOptions},
    io,
    path::PathBuf,
};

use constellation_actors::Controller;
use env_logger::{Builder, Logger, Target, WriteStyle};
use log::{LevelFilter, Log, Metadata, Record};

use crate::settings::{Logging, Severity};

/// What the targets of this project's records begin with.
const OWN_TARGETS: &str = "constellation";
/// Where the records of the HTTP layer below come from.
const HTTP_TARGETS: &str = "actix_http";

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The log file cannot be opened for appending.
    #[error("cannot write the log file {path} (Logging.LogDirectory and Logging.LogFilename)", path = .path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else already receives the records of this process.
    #[error("cannot start logging")]
    Taken(#[source] log::SetLoggerError),
}

/// Starts logging for the whole process. `filter` (the value of `RUST_LOG`) takes the place of
/// `MinimumSeverity` when it is not empty.
///
/// # Errors
///
/// When the log file cannot be opened, or something else logs already.
pub(crate) fn start(settings: &Logging, filter: Option<&str>) -> Result<(), Error> {
    let mut loggers = Vec::new();
    if settings.console {
        let style = if settings.colors {
            WriteStyle::Auto
        } else {
            WriteStyle::Never
        };
        loggers.push(logger(Target::Stderr, style, settings.severity, filter));
    }
    if let Some(path) = settings.file() {
        let file = open(&path).map_err(|source| Error::File { path, source })?;
        let target = Target::Pipe(Box::new(file));
        loggers.push(logger(target, WriteStyle::Never, settings.severity, filter));
    }
    let loggers = Loggers(loggers);
    log::set_max_level(loggers.level());
    log::set_boxed_logger(Box::new(loggers)).map_err(Error::Taken)
}

fn open(path: &PathBuf) -> io::Result<fs::File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().append(true).create(true).open(path)
}

fn logger(target: Target, style: WriteStyle, severity: Severity, filter: Option<&str>) -> Logger {
    let mut builder = Builder::new();
    match filter {
        Some(filter) if !filter.is_empty() => builder.parse_filters(filter),
        _ => {
            // The libraries below would drown our own records in their details.
            let level = severity.level();
            // It calls an error whatever a client sends wrong, and anyone could fill the log.
            let http = if level >= LevelFilter::Debug {
                LevelFilter::Info
            } else {
                LevelFilter::Off
            };
            builder
                .filter_level(level.min(LevelFilter::Info))
                .filter_module(HTTP_TARGETS, http)
                .filter_module(OWN_TARGETS, level)
        }
    };
    builder.target(target).write_style(style).build()
}

/// Several loggers that each get every record and filter it for themselves.
struct Loggers(Vec<Logger>);

impl Loggers {
    fn level(&self) -> LevelFilter {
        self.0
            .iter()
            .map(Logger::filter)
            .max()
            .unwrap_or(LevelFilter::Off)
    }
}

impl Log for Loggers {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.iter().any(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) && !Controller::is_noise(record) {
            self.0.iter().for_each(|logger| logger.log(record));
        }
    }

    fn flush(&self) {
        self.0.iter().for_each(Log::flush);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex, PoisonError},
    };

    use log::Level;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Memory {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn logged(severity: u8, filter: Option<&str>, level: Level, target: &str) -> String {
        let memory = Memory::default();
        let pipe = Target::Pipe(Box::new(memory.clone()));
        let loggers = Loggers(vec![logger(
            pipe,
            WriteStyle::Never,
            Severity::new(severity),
            filter,
        )]);
        let fields = [("worker", 7)];
        let mut record = Record::builder();
        record.level(level).target(target).key_values(&fields);
        loggers.log(&record.args(format_args!("connected")).build());
        let text = memory.text();
        assert_eq!(loggers.enabled(record.build().metadata()), !text.is_empty());
        assert!(loggers.level() >= level || text.is_empty());
        text
    }

    #[test]
    fn a_record_is_written_with_its_fields() {
        let text = logged(1, None, Level::Info, "constellation_actors::session");
        assert!(
            text.ends_with("INFO  constellation_actors::session] connected worker=7\n"),
            "{text}"
        );
    }

    #[test]
    fn the_severity_decides_what_is_written() {
        for (severity, level, wanted) in [
            (0, Level::Debug, true),
            (0, Level::Trace, false),
            (1, Level::Debug, false),
            (2, Level::Info, false),
            (2, Level::Warn, true),
            (6, Level::Warn, false),
            (6, Level::Error, true),
            (7, Level::Error, false),
        ] {
            let text = logged(severity, None, level, "constellation");
            assert_eq!(
                !text.is_empty(),
                wanted,
                "severity {severity}, level {level}"
            );
        }
    }

    #[test]
    fn debugging_stays_with_our_own_records() {
        assert_ne!(logged(0, Some(""), Level::Info, "mio::poll"), "");
        assert_eq!(logged(0, Some(""), Level::Debug, "mio::poll"), "");
        assert_ne!(
            logged(0, Some(""), Level::Debug, "constellation_actors::session"),
            ""
        );
        assert_eq!(logged(0, None, Level::Trace, "constellation"), "");
    }

    #[test]
    fn a_filter_takes_the_place_of_the_severity() {
        let filter = Some("warn,mio=trace");
        assert_ne!(logged(7, filter, Level::Trace, "mio::poll"), "");
        assert_ne!(logged(7, filter, Level::Warn, "constellation"), "");
        assert_eq!(logged(0, filter, Level::Info, "constellation"), "");
    }
}
