//! What was found: the medians of all rounds, as a table for people and as JSON for programs.

use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use crate::{
    case::Case,
    figure::Measure,
    goals::{self, Goal},
    instructions::Function,
    peer::Peer,
    plan::Findings,
    statistics::Summary,
};

/// Every case in the order in which it was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When it was made, in seconds since 1970 by the wall clock.
    unix_seconds: u64,
    /// The machine's processor, and how many of them there are.
    machine: String,
    /// What was measured.
    pub(crate) cases: Vec<Found>,
    /// The functions of this project that take most instructions of the controller; none when they
    /// were not counted.
    functions: Vec<Function>,
    /// The goals of which these figures tell whether they are met.
    goals: Vec<Goal>,
}

/// One case, and how each peer did.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    /// What was done.
    #[serde(rename = "name")]
    pub(crate) case: Case,
    /// Who did it, and how.
    pub(crate) peers: BTreeMap<Peer, BTreeMap<Measure, Summary>>,
}

impl Report {
    /// Sums up figures.
    #[expect(clippy::disallowed_methods, reason = "a report tells when it was made")]
    pub(crate) fn of(findings: Findings) -> Self {
        let mut order = Vec::new();
        let mut values: BTreeMap<(Case, Peer, Measure), Vec<f64>> = BTreeMap::new();
        for figure in findings.figures {
            if !order.contains(&figure.case) {
                order.push(figure.case);
            }
            let of = (figure.case, figure.peer, figure.measure);
            values.entry(of).or_default().push(figure.value);
        }
        let cases = order.into_iter().map(|case| {
            let mut peers: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
            for ((of, peer, measure), values) in &values {
                if *of == case
                    && let Some(summary) = Summary::of(values.clone())
                {
                    peers.entry(*peer).or_default().insert(*measure, summary);
                }
            }
            Found { case, peers }
        });
        let cases: Vec<_> = cases.collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            unix_seconds: now.map_or(0, |since| since.as_secs()),
            machine: machine(),
            goals: goals::of(&cases),
            cases,
            functions: findings.functions,
        }
    }

    /// The figures as JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and names")
    }

    /// The figures as tables in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}\n", self.machine);
        for found in &self.cases {
            let measures: Vec<Measure> = Measure::ALL
                .iter()
                .copied()
                .filter(|measure| found.peers.values().any(|peer| peer.contains_key(measure)))
                .collect();
            let _ = writeln!(text, "\n### {}\n", found.case);
            let heads: Vec<_> = measures.iter().map(|measure| measure.title()).collect();
            let _ = writeln!(text, "| | {} |", heads.join(" | "));
            let _ = writeln!(text, "|---|{}", "---|".repeat(measures.len()));
            for (peer, summaries) in &found.peers {
                let cells: Vec<_> = measures
                    .iter()
                    .map(|measure| cell(summaries.get(measure)))
                    .collect();
                let _ = writeln!(text, "| {} | {} |", peer.name(), cells.join(" | "));
            }
        }
        self.write_functions(&mut text);
        self.write_goals(&mut text);
        text
    }

    fn write_goals(&self, text: &mut String) {
        if self.goals.is_empty() {
            return;
        }
        text.push_str("\n### Goals\n\n| goal | demanded | found | met |\n|---|---|---|---|\n");
        for goal in &self.goals {
            let (what, demand, value, unit) = (&goal.what, goal.demand, goal.value, goal.unit);
            let met = if goal.is_met { "yes" } else { "no" };
            let _ = writeln!(
                text,
                "| {what} | {demand} {unit} | {value:.2} {unit} | {met} |"
            );
        }
    }

    fn write_functions(&self, text: &mut String) {
        if self.functions.is_empty() {
            return;
        }
        text.push_str("\n| function, with what it calls | instructions/request |\n|---|---|\n");
        for function in &self.functions {
            let (name, each) = (&function.name, function.instructions);
            let _ = writeln!(text, "| `{name}` | {each:.0} |");
        }
    }
}

fn cell(summary: Option<&Summary>) -> String {
    let Some(summary) = summary else {
        return "-".to_owned();
    };
    let digits = if summary.median < 100.0 { 1 } else { 0 };
    let (median, spread) = (summary.median, summary.spread_percent());
    format!("{median:.digits$} (±{:.0} %)", spread / 2.0)
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
        .collect();
    let model = models.first().cloned().unwrap_or_default();
    format!("{} x {model}", models.len())
}
