//! Pins many keys, and compares requests for a few of them with requests for any of them: what a
//! pin costs, and whether finding its owner depends on how many there are.

use std::{cell::Cell, fs, rc::Rc, time::Duration};

use tokio::task::JoinSet;

use super::{Findings, pins};
use crate::{clock::now, load::Connection, process::ProcessError, random::Random, run::Run};

/// How many keys are few.
const FEW: usize = 1_000;

/// How many requests are compared at a time.
const REQUESTS: usize = 100_000;

/// How often each is measured; an odd number, so that one lies in the middle.
const ROUNDS: usize = 5;

/// How many clients ask at a time.
const CLIENTS: usize = 32;

/// Clock ticks of a process's CPU time in a second, as Linux reports them to every program.
const TICKS: f64 = 100.0;

/// # Errors
///
/// When what the controller uses cannot be read.
pub(super) async fn measure(
    run: &Run,
    count: usize,
    findings: &mut Findings,
) -> Result<(), ProcessError> {
    let port = run.cluster.port();
    run.recovered().await;
    let controller = run.cluster.controller().await.id();
    let before = resident_bytes(controller)?;
    let begun = now();
    let pinned = pins::owners(port, count).await.iter().flatten().count();
    let took = now().since(begun).as_secs_f64();
    findings.figure("pins", pinned as f64);
    findings.figure("new pins in a second", (pinned as f64 / took).round());
    let bytes = resident_bytes(controller)?.saturating_sub(before);
    let each = bytes as f64 / count.max(1) as f64;
    findings.figure("memory of the controller for each pin, bytes", each.round());
    findings.demand(pinned == count, || {
        format!("{} keys were not pinned", count - pinned)
    });

    let (mut few, mut any) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        few.push(cost(port, controller, FEW.min(count), round).await?);
        any.push(cost(port, controller, count, round).await?);
    }
    let (few, any) = (median(few), median(any));
    findings.figure("CPU of the controller for a request to few keys, us", few);
    findings.figure("CPU of the controller for a request to any key, us", any);
    findings.figure("any to few", (any / few * 100.0).round() / 100.0);
    Ok(())
}

/// The CPU time that the controller takes for a request to one of the first `keys`, in microseconds.
async fn cost(port: u16, controller: u32, keys: usize, round: usize) -> Result<f64, ProcessError> {
    let before = cpu(controller)?;
    let left = Rc::new(Cell::new(REQUESTS));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let left = Rc::clone(&left);
        let mut random = Random::new(round as u64, client as u64);
        clients.spawn_local(async move {
            let mut connection = Connection::new(port);
            while let Some(fewer) = left.get().checked_sub(1) {
                left.set(fewer);
                pins::owner(&mut connection, random.below(keys)).await;
            }
        });
    }
    while clients.join_next().await.is_some() {}
    let used = cpu(controller)?.saturating_sub(before);
    Ok((used.as_secs_f64() * 1e8 / REQUESTS as f64).round() / 100.0)
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied().unwrap_or_default()
}

/// The memory of a process that is in use, in bytes.
fn resident_bytes(process: u32) -> Result<u64, ProcessError> {
    let file = format!("/proc/{process}/status");
    let text = fs::read_to_string(&file).map_err(ProcessError::at(file))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: Option<u64> = kibibytes.and_then(|number| number.parse().ok());
    Ok(kibibytes.unwrap_or_default() * 1024)
}

/// The CPU time that a process has used.
fn cpu(process: u32) -> Result<Duration, ProcessError> {
    let file = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&file).map_err(ProcessError::at(file))?;
    // What stands before the last bracket is the program's name, and may be anything.
    let (_, fields) = text.rsplit_once(')').unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_read() {
        let this = std::process::id();
        assert!(resident_bytes(this).unwrap() > 100_000);
        assert!(cpu(this).unwrap() < Duration::from_secs(3_600));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
