//! Proves the guarantee of Constellation with real processes: a controller, workers and clients run
//! under load while faults, drawn from a seed, are done to them; then the histories of all of them
//! are checked against each other. It never takes part in what it watches.

mod arguments;
mod checker;
mod clock;
mod cluster;
mod evidence;
mod fault;
mod history;
mod inject;
mod journal;
mod leash;
mod load;
mod names;
mod process;
mod random;
mod report;
mod run;
mod scenario;
mod worker;

use std::{error::Error, future::Future, io, process::ExitCode};

use clap::Parser;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

use self::{
    arguments::{Arguments, Command, RunArguments},
    fault::{SchedulePlan, schedule},
    report::Report,
    run::{Finished, Run, RunError},
};

/// How long a lease runs in a run with faults: as short as can be, to have many.
const LEASE_MS: u32 = 2_000;

/// The exit code of a run that was broken off.
const BROKEN_OFF: u8 = 130;

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Worker(arguments) => ended(worker::run(arguments)),
        Command::Leash(leash) => ended::<io::Error>(Err(leash::run(&leash))),
        Command::Run(arguments) => conduct(faults(&arguments)),
        Command::Scenario(arguments) => conduct(async move {
            let (report, finished) = scenario::run(&arguments).await?;
            Ok(conclude(
                &report,
                finished,
                arguments.common.json.as_deref(),
            ))
        }),
    }
}

/// Runs a run to its end, or until this process is told to end. Dropping it ends all processes.
fn conduct(run: impl Future<Output = Result<bool, RunError>>) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let conducted = LocalSet::new().block_on(&runtime, async {
        let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened for");
        tokio::select! {
            done = run => Some(done),
            _ = terminate.recv() => None,
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    match conducted {
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::FAILURE,
        Some(Err(error)) => ended(Err(error)),
        None => ExitCode::from(BROKEN_OFF),
    }
}

/// Does faults; whether every claim held.
async fn faults(arguments: &RunArguments) -> Result<bool, RunError> {
    let common = &arguments.common;
    let setup = common.setup(LEASE_MS);
    let schedule = schedule(&SchedulePlan {
        seed: common.seed,
        faults: arguments.faults,
        time: arguments.time(),
        kinds: arguments.kinds(),
        seats: setup.workers,
        keys: setup.keys,
    });
    let run = Run::start(setup).await?;
    let load = run.load(common.clients, common.rest(), common.seed);
    let applied = run.faults(&schedule).await?;
    let finished = run.finish(load, applied).await?;
    let report = report::report("faults", common.seed, &finished);
    Ok(conclude(&report, finished, common.json.as_deref()))
}

/// Prints the report; whether there is nothing against the run. If there is, its folder is kept.
fn conclude(report: &Report, finished: Finished, json: Option<&std::path::Path>) -> bool {
    print!("{report}");
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(report).expect("a report is JSON");
        if let Err(error) = std::fs::write(file, text) {
            eprintln!("{}: {error}", file.display());
        }
    }
    let holds = report.violations.is_empty();
    if !holds {
        println!("the evidence is in {}", finished.keep_folder().display());
    }
    holds
}

fn ended<E: Error>(outcome: Result<(), E>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    eprint!("{error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprint!(": {cause}");
        source = cause.source();
    }
    eprintln!();
    ExitCode::FAILURE
}
