//! Measurements: each shows one promise in figures, under load and with the same checks as any run.
//! What a scenario promises beyond the claims is counted as a violation when it is broken.

mod failover;
mod many_pins;
mod moves;
mod pins;
mod restart;
mod rolling_drain;
mod short_cut;

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::{
    arguments::ScenarioArguments,
    report::{Report, report},
    run::{Finished, Run, RunError},
};

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Every worker is told to end and started again, over and over, until so many requests are
    /// done: none of them fails
    RollingDrain,
    /// So many keys are moved by plan, and nothing else happens: how long they are not answered for
    Moves,
    /// So many times a worker is killed: how long until the next owner answers
    CrashFailover,
    /// So many times a worker's connection carries nothing for 2 s: no request fails, no key moves
    ShortCut,
    /// The controller is killed and started again with so many pins: all of them are kept
    Restart,
    /// So many keys are pinned: how fast, in how much memory, and whether requests cost more then
    Pins,
}

/// What a scenario adds to a report.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What was measured.
    figures: BTreeMap<String, f64>,
    /// What was promised and did not hold.
    broken: Vec<String>,
}

impl Findings {
    fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// Holds `what` against the run unless it `holds`.
    fn demand(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }
}

impl Scenario {
    /// How long leases are unless others are asked for: as the controller's default, or shorter where
    /// waiting for them is what is measured.
    fn lease_ms(self) -> u32 {
        match self {
            Self::CrashFailover => 2_000,
            Self::RollingDrain | Self::Moves | Self::ShortCut | Self::Restart | Self::Pins => 6_000,
        }
    }

    fn count(self) -> usize {
        match self {
            Self::RollingDrain => 200_000,
            Self::Moves => 1_000,
            Self::CrashFailover | Self::ShortCut => 10,
            Self::Restart => 100_000,
            Self::Pins => 1_000_000,
        }
    }
}

/// Runs a scenario.
///
/// # Errors
///
/// When a part of the cluster does not start, end or come back.
pub(crate) async fn run(arguments: &ScenarioArguments) -> Result<(Report, Finished), RunError> {
    let (scenario, common) = (arguments.scenario, &arguments.common);
    let count = arguments.count.unwrap_or_else(|| scenario.count());
    let run = Run::start(common.setup(scenario.lease_ms())).await?;
    let load = run.load(common.clients, common.rest(), common.seed);
    let mut findings = Findings::default();
    let applied = match scenario {
        Scenario::RollingDrain => rolling_drain::measure(&run, count, &mut findings).await?,
        Scenario::Moves => moves::measure(&run, count, common.seed, &mut findings).await,
        Scenario::CrashFailover => failover::measure(&run, count, &mut findings).await?,
        Scenario::ShortCut => short_cut::measure(&run, count).await,
        Scenario::Restart => restart::measure(&run, count, &mut findings).await?,
        Scenario::Pins => {
            many_pins::measure(&run, count, &mut findings).await?;
            Vec::new()
        }
    };
    let finished = run.finish(load, applied).await?;
    let name = scenario.to_possible_value();
    let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
    let mut report = report(&name, common.seed, &finished);
    match scenario {
        Scenario::RollingDrain | Scenario::Moves => demand_no_failure(&report, &mut findings),
        Scenario::ShortCut => {
            demand_no_failure(&report, &mut findings);
            short_cut::demand_no_move(&report, &mut findings);
        }
        Scenario::CrashFailover | Scenario::Restart | Scenario::Pins => {}
    }
    report.figures = findings.figures;
    report.violations.extend(findings.broken);
    Ok((report, finished))
}

fn demand_no_failure(report: &Report, findings: &mut Findings) {
    let failures = report.requests.failures();
    findings.demand(failures == 0, || format!("{failures} requests failed"));
}
