//! What Constellation is to reach, and whether it did in this run: ratios of medians, so that figures
//! of different runs or machines are never compared. A goal whose figures were not measured is left
//! out. All goals are for one thread of each proxy.

mod demand;
mod list;
mod medians;

use serde::Serialize;

pub(crate) use self::demand::Demand;
use self::medians::Medians;
use crate::{
    case::Case,
    figure::Measure,
    peer::{Peer, Store},
    report::Found,
};

/// The most MiB of a controller of which nothing was asked yet.
const IDLE_MIB: f64 = 20.0;

/// The most KiB for an idle tunnel.
const TUNNEL_KIB: f64 = 16.0;

/// Pins, and the most MiB of a controller that has so many.
const PINNED: (u64, f64) = (1_000_000, 320.0);

/// Few pins, and what part of the requests a second with them the most pins of the run must leave.
const FEW: (u64, f64) = (1_000, 0.9);

/// One goal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Goal {
    /// What is compared with what, or what is limited.
    pub(crate) what: String,
    /// The unit of the value and the demand; `x` for a ratio.
    pub(crate) unit: &'static str,
    /// What was found.
    pub(crate) value: f64,
    /// What is demanded.
    #[serde(flatten)]
    pub(crate) demand: Demand,
    /// Whether the demand is met.
    pub(crate) is_met: bool,
}

impl Goal {
    fn new(what: impl Into<String>, unit: &'static str, value: f64, demand: Demand) -> Self {
        Self {
            what: what.into(),
            unit,
            value,
            demand,
            is_met: demand.is_met_by(value),
        }
    }
}

/// The goals of which `cases` tell whether they are met.
pub(crate) fn of(cases: &[Found]) -> Vec<Goal> {
    let medians = Medians::of(cases);
    let relative = list::relative();
    let mut goals: Vec<_> = relative
        .iter()
        .filter_map(|goal| goal.found(&medians))
        .collect();
    goals.extend(tunnels(&medians));
    goals.extend(pinned(&medians));
    goals.extend(scaled(&medians));
    goals
}

fn tunnels(medians: &Medians<'_>) -> Vec<Goal> {
    let case = |case: &Case| matches!(case, Case::Tunnels { .. });
    let Some(case) = medians.cases().find(case) else {
        return Vec::new();
    };
    let found = |measure| medians.of_constellation(case, measure);
    let idle = found(Measure::ProxyIdleMib).map(|mib| {
        let demand = Demand::AtMost(IDLE_MIB);
        Goal::new("memory of an idle controller", "MiB", mib, demand)
    });
    let each = found(Measure::ProxyKibPerTunnel).map(|kib| {
        let demand = Demand::AtMost(TUNNEL_KIB);
        Goal::new("memory for an idle tunnel", "KiB", kib, demand)
    });
    idle.into_iter().chain(each).collect()
}

fn pinned(medians: &Medians<'_>) -> Option<Goal> {
    let (pins, mib_max) = PINNED;
    let store = Store::Memory;
    let mib = medians.of_constellation(Case::Scale { store, pins }, Measure::ProxyMib)?;
    let what = format!("memory of a controller with {pins} pins");
    Some(Goal::new(what, "MiB", mib, Demand::AtMost(mib_max)))
}

fn scaled(medians: &Medians<'_>) -> Option<Goal> {
    let store = Store::Memory;
    let (few, least) = FEW;
    let most = medians.cases().filter_map(|case| match case {
        Case::Scale {
            store: Store::Memory,
            pins,
        } => Some(pins),
        _ => None,
    });
    let most = most.max().filter(|most| *most > few)?;
    let rate = |pins| {
        let case = Case::Scale { store, pins };
        medians.get(case, Peer::Constellation, Measure::RequestsPerSecond)
    };
    let what = format!("requests/s with {most} pins against those with {few}");
    let ratio = rate(most)? / rate(few)?;
    Some(Goal::new(what, "x", ratio, Demand::AtLeast(least)))
}

#[cfg(test)]
mod tests;
