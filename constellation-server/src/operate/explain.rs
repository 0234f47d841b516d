//! `explain`: all that is known of one key.

use std::io::Write;

use super::{
    Error, Session,
    client::Reply,
    names::Names,
    table::table,
    words::{count, duration},
};
use crate::admin::{
    key::{KeyReport, Owner, Stage},
    query::escaped,
};

impl<W: Write> Session<'_, W> {
    pub(super) async fn explain(&mut self, key: &str) -> Result<(), Error> {
        let reply = self.asked(key).await?;
        let report: KeyReport = reply.read()?;
        let names = Names::new(&self.listed().await?);
        self.tell(&reply.json, || shown(&report, &names))
    }

    /// What the controller says of a key.
    pub(super) async fn asked(&self, key: &str) -> Result<Reply, Error> {
        let path = format!("/v1/key?key={}", escaped(key));
        Ok(self.client.get(&path).await?)
    }
}

fn shown(report: &KeyReport, names: &Names) -> String {
    let mut lines = vec![report.key.clone()];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<11} {value}"));
    match &report.owner {
        Some(owner) => {
            let state = owner.state.as_str();
            line("owner", format!("{}, {state}", names.full(owner.worker)));
            line("epoch", owner.epoch.to_string());
            line("stage", stage(owner, names));
            line("lease left", duration(owner.lease_left_ms));
            if let Some(unused) = owner.unused_ms {
                line("last used", format!("{} ago", duration(unused)));
            }
        }
        None => line("owner", "none".into()),
    }
    line("waiting", count(report.waiting, "request"));
    let next = report.next.map(|next| names.full(next));
    let next = next.unwrap_or_else(|| "nobody can get it".into());
    line("next", format!("{next}, if it had no owner now"));
    lines.push(past(report, names));
    lines.join("\n")
}

fn stage(owner: &Owner, names: &Names) -> String {
    match (owner.stage, owner.leaving) {
        (Stage::Claimed, _) => "claimed: the store has not confirmed it".into(),
        (Stage::Held, _) | (Stage::Leaving, None) => "held".into(),
        (Stage::Leaving, Some(leaving)) => {
            let to = leaving.to.map(|to| format!(", to {}", names.full(to)));
            let (why, to) = (leaving.cause.words(), to.unwrap_or_default());
            format!("leaving: {why}{to}")
        }
    }
}

fn past(report: &KeyReport, names: &Names) -> String {
    if report.history.is_empty() {
        return "No earlier owner is remembered.".into();
    }
    let rows: Vec<_> = report
        .history
        .iter()
        .map(|past| {
            [
                format!("{} ago", duration(past.ended_ms)),
                names.brief(past.worker),
                past.epoch.to_string(),
                past.reason.clone(),
            ]
        })
        .collect();
    let table = table(["ENDED", "OWNER", "EPOCH", "WHY"], &rows);
    format!("Earlier owners, latest first:\n{table}")
}
