//! The chart: for each case of small requests and of websockets, a bar for every peer.

use std::fmt::Write;

use crate::{
    figure::Measure,
    peer::Peer,
    report::{Found, Report},
};

const WIDTH: f64 = 760.0;
const LABEL: f64 = 130.0;
const BAR: f64 = 16.0;
const GAP: f64 = 6.0;
const HEAD: f64 = 30.0;

/// Draws `report` as SVG.
pub(crate) fn draw(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 10.0;
    for (rate, cost) in [
        (Measure::RequestsPerSecond, Measure::TotalMicros),
        (Measure::MessagesPerSecond, Measure::TotalMicrosPerMessage),
    ] {
        for measure in [rate, cost] {
            for case in &report.cases {
                if case.peers.values().any(|found| found.contains_key(&cost)) {
                    y = bars(case, measure, y, &mut body);
                }
            }
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Draws one case; where the next begins.
fn bars(case: &Found, measure: Measure, top: f64, body: &mut String) -> f64 {
    let values: Vec<_> = case
        .peers
        .iter()
        .filter_map(|(peer, found)| Some((*peer, found.get(&measure)?.median)))
        .collect();
    let most = values.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let mut y = top + HEAD;
    let title = y - 10.0;
    let _ = writeln!(
        body,
        "<text x=\"10\" y=\"{title}\" font-weight=\"bold\" fill=\"#222222\">{}, {}</text>",
        case.case,
        measure.title(),
    );
    for (peer, value) in values {
        let width = value / most * (WIDTH - LABEL - 110.0);
        let (text, end) = (y + BAR - 4.0, LABEL + width + 6.0);
        let _ = writeln!(
            body,
            "<text x=\"10\" y=\"{text}\" fill=\"#222222\">{}</text>\
             <rect x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{}\"/>\
             <text x=\"{end:.1}\" y=\"{text}\" fill=\"#222222\">{value:.1}</text>",
            peer.name(),
            colour(peer),
        );
        y += BAR + GAP;
    }
    y + GAP
}

const fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Constellation => "#2f6fed",
        Peer::Nginx => "#3a9a5b",
        Peer::Haproxy => "#d08a2e",
        Peer::Direct => "#9a9a9a",
    }
}
