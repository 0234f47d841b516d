//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{cluster::setup::Setup, fault::Kind, leash::LeashArguments, worker::WorkerArguments};

/// The program of the controller, beside this one.
const CONTROLLER: &str = "constellation";

/// Breaks a running cluster, and checks that it kept its promises.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Do faults of all kinds, drawn from a seed
    Run(RunArguments),
    /// Measure one thing
    Scenario(ScenarioArguments),
    /// Be a worker of a run
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// Start a program that ends with this one
    #[command(hide = true)]
    Leash(LeashArguments),
}

/// What all runs have in common.
#[derive(Clone, Debug, Args)]
pub(crate) struct CommonArguments {
    /// What everything is drawn from that is drawn
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many workers there are
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    workers: u8,
    /// How many keys there are
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    keys: u32,
    /// How many clients there are
    #[arg(long, default_value_t = 8)]
    pub(crate) clients: usize,
    /// Milliseconds that each client rests after an answer
    #[arg(long, default_value_t = 10)]
    rest_ms: u64,
    /// How long a lease runs: whole seconds, at least two
    #[arg(long, value_parser = lease)]
    lease_ms: Option<u32>,
    /// Let keys move as soon as a connection is lost
    #[arg(long)]
    reassign: bool,
    /// Let workers write without comparing epochs, to see that this is noticed
    #[arg(long)]
    without_fence: bool,
    /// A further setting of the controller, such as Proxy.TimeoutMs=1000; may be repeated
    #[arg(long)]
    set: Vec<String>,
    /// The program of the controller [default: the one beside this program]
    #[arg(long)]
    controller: Option<PathBuf>,
    /// Write the report to this file as JSON
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

/// A run with faults of all kinds.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArguments {
    /// What all runs have in common.
    #[command(flatten)]
    pub(crate) common: CommonArguments,
    /// How many faults there are
    #[arg(long, default_value_t = 20)]
    pub(crate) faults: usize,
    /// The seconds that they are spread over [default: two for each fault]
    #[arg(long)]
    seconds: Option<u64>,
    /// Only faults of this kind; may be repeated
    #[arg(long)]
    only: Vec<Kind>,
}

/// A measurement.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScenarioArguments {
    /// Which.
    #[arg(value_enum)]
    pub(crate) scenario: crate::scenario::Scenario,
    /// How many requests, moves, failures or pins it takes [default: it depends]
    #[arg(long)]
    pub(crate) count: Option<usize>,
    /// What all runs have in common.
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

impl CommonArguments {
    /// What the run is made of, with leases of `lease_ms` unless others were asked for.
    pub(crate) fn setup(&self, lease_ms: u32) -> Setup {
        let beside = std::env::current_exe().map(|this| this.with_file_name(CONTROLLER));
        let program = self.controller.clone();
        Setup {
            program: program.unwrap_or_else(|| beside.unwrap_or_else(|_| CONTROLLER.into())),
            workers: usize::from(self.workers),
            keys: self.keys,
            renewals: self.lease_ms.unwrap_or(lease_ms) / 1000,
            reassign: self.reassign,
            fenced: !self.without_fence,
            set: self.set.clone(),
        }
    }

    /// How long each client rests after an answer.
    pub(crate) fn rest(&self) -> Duration {
        Duration::from_millis(self.rest_ms)
    }
}

impl RunArguments {
    /// The time that the faults are spread over.
    pub(crate) fn time(&self) -> Duration {
        let faults = u64::try_from(self.faults).unwrap_or(u64::MAX);
        Duration::from_secs(self.seconds.unwrap_or(faults.saturating_mul(2)))
    }

    /// The kinds of faults to do.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        use clap::ValueEnum;

        if self.only.is_empty() {
            Kind::value_variants().to_vec()
        } else {
            self.only.clone()
        }
    }
}

fn lease(text: &str) -> Result<u32, String> {
    let milliseconds: u32 = text.parse().map_err(|_| "not a number".to_owned())?;
    if milliseconds < 2_000 || !milliseconds.is_multiple_of(1_000) || milliseconds > 100_000 {
        return Err("a lease runs for whole seconds, from 2000 to 100000 ms".into());
    }
    Ok(milliseconds)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_lease_is_a_number_of_renewals() {
        assert_eq!(lease("2000"), Ok(2_000));
        for text in ["1000", "2500", "x", "101000"] {
            assert!(lease(text).is_err(), "{text}");
        }
    }
}
