//! Runs the simulation of a whole cluster for many seeds, or one seed with everything that happens:
//!
//! ```text
//! cargo run --release -p constellation-actors --features simulation --example simulate -- --seeds 100000
//! cargo run --release -p constellation-actors --features simulation --example simulate -- --seed 17
//! ```
//!
//! `--from N` begins with another seed, `--keep-going` counts failures by invariant instead of
//! stopping at the first. With the feature `mutations`, `--mutation NAME` breaks the protocol on
//! purpose. Ends with status 1 when an invariant broke.

use std::{collections::BTreeMap, env, process::ExitCode};

use constellation_actors::{
    mutation::Mutation,
    simulation::{Counts, Failure, replay, run},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str| value(name).and_then(|text| text.parse::<u64>().ok());
    let wanted = value("--mutation");
    let named = |mutation: &&Mutation| Some(mutation.to_string()) == wanted;
    let mutation = Mutation::ALL.iter().find(named).copied();
    if wanted.is_some() && (mutation.is_none() || !cfg!(feature = "mutations")) {
        eprintln!(
            "--mutation needs the feature mutations, and one of {:?}",
            Mutation::ALL
        );
        return ExitCode::FAILURE;
    }
    if let Some(seed) = number("--seed") {
        return one(seed, mutation);
    }
    let from = number("--from").unwrap_or(0);
    let keep_going = arguments.iter().any(|argument| argument == "--keep-going");
    many(
        from,
        number("--seeds").unwrap_or(1_000),
        mutation,
        keep_going,
    )
}

fn one(seed: u64, mutation: Option<Mutation>) -> ExitCode {
    match replay(seed, mutation) {
        Ok((counts, log)) => {
            println!("{}\nSEED={seed} holds: {counts:?}", log.join("\n"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn many(from: u64, seeds: u64, mutation: Option<Mutation>, keep_going: bool) -> ExitCode {
    let mut total = Counts::default();
    let mut failures: BTreeMap<&str, Vec<Box<Failure>>> = BTreeMap::new();
    for seed in from..from + seeds {
        match run(seed, mutation) {
            Ok(counts) => total += counts,
            Err(_) if !keep_going => return one(seed, mutation),
            Err(failure) => {
                let of_invariant = failures.entry(failure.violation.invariant).or_default();
                of_invariant.push(failure);
            }
        }
    }
    println!("{seeds} seeds from {from}: {total:?}");
    for (invariant, failures) in &failures {
        println!("{invariant} broke {} times, first:", failures.len());
        for failure in failures.iter().take(4) {
            println!("  {failure}");
        }
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
