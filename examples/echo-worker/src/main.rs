//! A worker in a process of its own that answers each request with what it was asked: for trying
//! a controller out, for tests, and for benchmarks. It keeps nothing between requests.

mod arguments;
mod echo;
mod events;
mod plan;
mod report;
mod socket;

use std::{process::ExitCode, rc::Rc};

use clap::Parser;

use self::{
    arguments::{Arguments, StartError},
    echo::{Echo, made},
};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments = Arguments::parse();
    match actix_rt::System::new().block_on(run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), StartError> {
    let id = arguments.id();
    let fixed = arguments
        .body_bytes
        .map(|count| made(usize::try_from(count).expect("the flag's range fits into memory")));
    let echo = Rc::new(Echo {
        worker: id.to_string(),
        name: arguments.name.clone(),
        latency: arguments.latency(),
        fixed,
        quiet: arguments.quiet,
    });
    let worker = arguments.worker(id).handler(move |request| {
        let echo = Rc::clone(&echo);
        async move { echo.answer(request).await }
    })?;
    log::info!("worker {id} {}", arguments.name);
    let drained = worker.run().await?;
    log::info!("gave {} keys back", drained.keys);
    Ok(())
}
