//! Measures what streams do to each other and to memory, with the real controller and a real
//! worker: small exchanges beside bulk transfers, many server-sent events, and a very large body.
//! It demands what the documentation claims, and its exit code tells whether that was so.

mod arguments;
mod bulk;
mod clock;
mod cluster;
mod delays;
mod events;
mod http;
mod large;
mod pattern;

use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Mode};

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something came that is no answer to what was asked.
    #[error("{0}")]
    Answer(String),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().mode {
        Mode::Bulk(arguments) => bulk::run(&arguments),
        Mode::Events(arguments) => events::run(&arguments),
        Mode::Large(arguments) => large::run(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench-streams: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Prints whether a demand was met.
fn demand(what: &str, met: bool) -> bool {
    println!("{} {what}", if met { "met:    " } else { "NOT MET:" });
    met
}
