//! Measures what a request costs through Constellation, nginx, HAProxy, and without any proxy: in
//! turn within one run, several rounds, medians with their spread. Everything runs on loopback and
//! ends by itself.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

mod backend;
mod bodies;
mod case;
mod chart;
mod closed_loop;
mod dialogue;
mod error;
mod failover;
mod figure;
mod goals;
mod http;
mod instructions;
mod keys;
mod limits;
mod open_loop;
mod peer;
mod plan;
mod process;
mod report;
mod statistics;
mod times;
mod usage;
mod used;
mod websockets;

use crate::{
    plan::{Findings, Plan},
    report::Report,
};

/// Measures Constellation beside its peers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures every peer and prints a table
    Run(RunArguments),
    /// The far side of the peers: a plain actix-web server
    #[command(hide = true)]
    Backend(backend::BackendArguments),
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    #[command(flatten)]
    plan: Plan,
    /// Write every figure to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draw requests per second and CPU per request into this SVG file
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run(&arguments),
        Command::Backend(arguments) => backend::serve(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &RunArguments) -> Result<(), error::Error> {
    limits::raise_files()?;
    let mut findings = Findings::default();
    // A run takes long: what was found before something failed is reported all the same.
    let outcome = arguments.plan.measure(&mut findings);
    let report = Report::of(findings);
    print!("{}", report.table());
    if let Some(file) = &arguments.json {
        std::fs::write(file, report.json()).map_err(error::at("writing the figures"))?;
    }
    if let Some(file) = &arguments.svg {
        std::fs::write(file, chart::draw(&report)).map_err(error::at("writing the chart"))?;
    }
    outcome
}
