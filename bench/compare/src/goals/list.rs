//! The goals that compare Constellation with others in the same case.

use super::{Demand, Goal, medians::Medians};
use crate::{
    bodies::Direction,
    case::{Case, Size},
    figure::Measure,
    peer::Peer,
};

/// The threads of each proxy in every goal.
const THREADS: usize = 1;

/// Whom Constellation is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Against {
    /// The better of nginx and HAProxy; both must have been measured.
    Better,
    /// One peer.
    Peer(Peer),
}

/// A measure of Constellation over that of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relative {
    case: Case,
    measure: Measure,
    against: Against,
    demand: Demand,
}

/// Every goal of this kind.
pub(super) fn relative() -> Vec<Relative> {
    use Against::Better;
    use Measure::{MessagesPerSecond, MibPerSecond, P50Micros, P99Micros};

    use self::Demand::{AtLeast, AtMost};

    let (rate, cpu) = (Measure::RequestsPerSecond, Measure::TotalMicros);
    let (nginx, direct) = (Against::Peer(Peer::Nginx), Against::Peer(Peer::Direct));
    let goal = |case, measure, against, demand| Relative {
        case,
        measure,
        against,
        demand,
    };
    let mut goals = vec![
        goal(small(64), rate, Better, AtLeast(1.6)),
        goal(small(256), rate, Better, AtLeast(2.0)),
        goal(small(1024), rate, Better, AtLeast(2.0)),
        goal(small(64), cpu, nginx, AtMost(0.5)),
        goal(small(256), cpu, nginx, AtMost(0.35)),
        goal(small(64), rate, direct, AtLeast(0.8)),
        goal(small(1), P50Micros, Better, AtMost(1.0)),
        goal(open(), P99Micros, Better, AtMost(1.0)),
    ];
    for direction in Direction::ALL {
        for size in [Size::Middle, Size::Large] {
            let case = bodies(direction, size);
            goals.push(goal(case, MibPerSecond, Better, AtLeast(1.0)));
        }
    }
    let websockets = Case::Websockets { threads: THREADS };
    goals.push(goal(websockets, MessagesPerSecond, Better, AtLeast(1.0)));
    goals
}

const fn small(connections: usize) -> Case {
    Case::Small {
        threads: THREADS,
        connections,
    }
}

const fn open() -> Case {
    Case::Open { threads: THREADS }
}

const fn bodies(direction: Direction, size: Size) -> Case {
    Case::Bodies {
        direction,
        size,
        threads: THREADS,
    }
}

impl Relative {
    /// What was found; `None` when a part of it was not measured.
    pub(super) fn found(&self, medians: &Medians<'_>) -> Option<Goal> {
        let of = |peer| medians.get(self.case, peer, self.measure);
        let other = match self.against {
            Against::Better => self.demand.better_of(of(Peer::Nginx)?, of(Peer::Haproxy)?),
            Against::Peer(peer) => of(peer)?,
        };
        let ratio = of(Peer::Constellation)? / other;
        Some(Goal::new(self.to_string(), "x", ratio, self.demand))
    }
}

impl std::fmt::Display for Relative {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let against = match self.against {
            Against::Better => "the better of nginx and haproxy",
            Against::Peer(peer) => peer.name(),
        };
        let (case, measure) = (self.case, self.measure.title());
        write!(formatter, "{case}: {measure} against {against}")
    }
}
