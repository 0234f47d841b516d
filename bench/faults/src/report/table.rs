//! The report for people.

use std::fmt::{self, Display, Formatter};

use super::{Report, Spread};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (scenario, seed, seconds) = (&self.scenario, self.seed, self.seconds);
        writeln!(f, "{scenario}, seed {seed}, {seconds:.1} s")?;
        if !self.faults.is_empty() {
            writeln!(
                f,
                "\n{:<20}{:>6}{:>6}{:>8}{:>10}{:>10}{:>10}",
                "fault", "done", "hit", "keys", "pause p50", "p99", "max ms"
            )?;
        }
        for (kind, line) in &self.faults {
            write!(f, "{kind:<20}{:>6}{:>6}", line.count, line.hit)?;
            if let Some(Spread {
                count,
                p50,
                p99,
                max,
            }) = line.pause_ms
            {
                write!(f, "{count:>8}{p50:>10.1}{p99:>10.1}{max:>10.1}")?;
            }
            writeln!(f)?;
        }
        let requests = &self.requests;
        writeln!(f, "\nrequests {}, done {}", requests.all, requests.done)?;
        for (told, count) in &requests.failed {
            writeln!(f, "  {told}: {count}")?;
        }
        if let Some(wait) = requests.wait_ms {
            let Spread { p50, p99, max, .. } = wait;
            writeln!(
                f,
                "answers after p50 {p50} ms, p99 {p99} ms, at most {max} ms"
            )?;
        }
        let gaps = self.longest_gap_ms.iter();
        if let Some((key, gap)) = gaps.max_by(|one, other| one.1.total_cmp(other.1)) {
            writeln!(f, "longest time without an answer: {gap} ms, of {key}")?;
        }
        writeln!(
            f,
            "ownerships {}, of which {} outlived their lease in a process that did not run; writes \
             and reads refused by a fence: {}",
            self.ownerships, self.excused, self.refused_by_fence
        )?;
        for (name, figure) in &self.figures {
            writeln!(f, "{name}: {figure}")?;
        }
        writeln!(f, "violations: {}", self.violations.len())?;
        for violation in &self.violations {
            writeln!(f, "  {violation}")?;
        }
        Ok(())
    }
}
