//! SQLite databases over HTTP. One process: a controller, which gives every database to one of
//! its workers, and the workers, which open the files. It never lets two workers have one file.
//!
//! `POST /db/<name>` with one SQL statement, as `{"query":"..."}` or as plain text, answers
//! `{"worker":n,"database":"<name>","results":[...]}`. A database and its table `customers` are
//! made on first use.

mod arguments;
mod database;
mod folder;
mod keeper;
mod loopback;
mod name;
mod problem;
mod query;
mod running;
mod service;
mod signals;

use std::{error::Error, pin::pin, process::ExitCode};

use clap::Parser;
use futures::future::{Either, select};

use self::{arguments::Arguments, running::Service, signals::Signals};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments = Arguments::parse();
    match actix_rt::System::new().block_on(run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{}", with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::listen()?;
    let started = match select(pin!(Service::start(arguments)), pin!(signals.next())).await {
        Either::Left((started, _)) => Some(started?),
        Either::Right(((), _)) => None,
    };
    let Some(service) = started else {
        return Ok(());
    };
    println!(
        "SQLite service running on http://localhost:{}",
        service.port()
    );
    signals.next().await;
    log::info!("told to end; a second time ends at once");
    select(pin!(service.stop()), pin!(signals.next())).await;
    Ok(())
}

fn with_sources(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(": ");
        words.push_str(&error.to_string());
        source = error.source();
    }
    words
}
