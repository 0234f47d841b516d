//! The command line. Nothing is read from files or the environment.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use crate::database::Limits;

/// The size of a page of a new SQLite file, in bytes.
const PAGE_BYTES: u64 = 4096;

/// SQLite databases over HTTP: a controller and its workers in one process, each database owned
/// by one worker.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The port of the HTTP service, on both loopback addresses; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// The port that the workers connect to, on both loopback addresses; 0 takes a free one
    #[arg(long, default_value_t = 8001)]
    pub(crate) worker_port: u16,
    /// The folder of the databases; made when it is missing
    #[arg(long, default_value = "data")]
    pub(crate) data_dir: PathBuf,
    /// How many workers there are
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) workers: u16,
    /// The most rows of a result
    #[arg(long, default_value_t = 100_000, value_parser = parse_positive)]
    pub(crate) rows_max: usize,
    /// The most bytes of a result as JSON, and of a single value
    #[arg(long, default_value_t = 16 << 20, value_parser = parse_positive)]
    pub(crate) result_bytes_max: usize,
    /// The most bytes of a database's file, rounded down to pages of 4096
    #[arg(long, default_value_t = 1 << 30, value_parser = clap::value_parser!(u64).range(1 << 20..=1 << 43))]
    pub(crate) database_bytes_max: u64,
    /// How many seconds a statement may take
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=25))]
    pub(crate) statement_seconds_max: u64,
}

impl Arguments {
    /// What one statement and one database may use.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            rows_max: self.rows_max,
            result_bytes_max: self.result_bytes_max,
            file_pages_max: u32::try_from(self.database_bytes_max / PAGE_BYTES).unwrap_or(u32::MAX),
        }
    }

    /// How long a statement may take.
    pub(crate) fn statement_timeout(&self) -> Duration {
        Duration::from_secs(self.statement_seconds_max)
    }
}

fn parse_positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn without_flags_it_is_the_service_of_the_readme() {
        Arguments::command().debug_assert();
        let arguments = Arguments::try_parse_from(["sqlite-service"]).unwrap();
        assert_eq!(
            (arguments.port, arguments.worker_port, arguments.workers),
            (8000, 8001, 3)
        );
        assert_eq!(arguments.data_dir, PathBuf::from("data"));
        assert_eq!(arguments.limits().file_pages_max, 262_144);
    }

    #[test]
    fn a_value_out_of_range_is_refused() {
        for flag in [
            "--workers=0",
            "--rows-max=0",
            "--statement-seconds-max=26",
            "--port=65536",
        ] {
            assert!(
                Arguments::try_parse_from(["sqlite-service", flag]).is_err(),
                "{flag}"
            );
        }
    }
}
