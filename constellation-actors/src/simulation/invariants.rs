//! What must hold after every step, by name, as section 2 of the design has it. They look at the
//! whole simulated world, and never change it but for what they remember.

use std::collections::BTreeMap;

use super::{World, record::Fact};
use crate::placement::{epoch::Epoch, key::ResourceKey};

/// An invariant that does not hold, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// What was seen.
    pub seen: String,
}

/// Looks at the world; says what it saw when that must not be.
type Look = fn(&mut World) -> Result<(), String>;

/// The invariants that are looked at after each step.
const AFTER_EACH_STEP: [(&str, Look); 7] = [
    ("invariant_one_holder", invariant_one_holder),
    ("invariant_epochs_rise", invariant_epochs_rise),
    ("invariant_durable_first", invariant_durable_first),
    ("invariant_no_stale_answer", invariant_no_stale_answer),
    (
        "invariant_nothing_silently_repeated",
        invariant_nothing_silently_repeated,
    ),
    ("invariant_bounded", invariant_bounded),
    ("invariant_fence_holds", invariant_fence_holds),
];

/// The first invariant that a step broke.
pub(crate) fn check(world: &mut World) -> Result<(), Violation> {
    for (invariant, holds) in AFTER_EACH_STEP {
        holds(world).map_err(|seen| Violation { invariant, seen })?;
    }
    world.record.facts.clear();
    Ok(())
}

/// No two workers have unexpired self-leases for one key; and, where every process is scheduled
/// in time, no two have its resource open.
fn invariant_one_holder(world: &mut World) -> Result<(), String> {
    if !world.scenario.is_guaranteed() {
        return Ok(());
    }
    let mut holders: BTreeMap<&ResourceKey, (usize, Epoch)> = BTreeMap::new();
    for (number, worker) in world.workers.iter().enumerate() {
        let now = worker.clock.at(world.now);
        let acting = worker
            .process
            .iter()
            .flat_map(|it| it.held(now, world.scenario.is_exclusive()));
        for (key, epoch) in acting {
            match holders.insert(key, (number, epoch)) {
                Some((other, theirs)) if other != number => {
                    return Err(format!(
                        "worker {other} under epoch {theirs} and worker {number} under epoch \
                         {epoch} both hold {key}"
                    ));
                }
                Some(_) | None => {}
            }
        }
    }
    Ok(())
}

/// For each key the epochs under which it is published rise, over all lives of the controller,
/// and no epoch of it is ever had by two lives of workers.
fn invariant_epochs_rise(world: &mut World) -> Result<(), String> {
    let record = &mut world.record;
    for fact in &record.facts {
        let (key, epoch, incarnation) = match fact {
            Fact::Published {
                key,
                epoch,
                incarnation,
                ..
            } => {
                if world.scenario.has_rising_epochs()
                    && let Some((before, owner)) = record.published.get(key)
                    && (epoch < before || epoch == before && owner != incarnation)
                {
                    return Err(format!("{key} is published under {epoch} after {before}"));
                }
                record.published.insert(key.clone(), (*epoch, *incarnation));
                (key, epoch, incarnation)
            }
            Fact::Held {
                key,
                epoch,
                incarnation,
                ..
            } => (key, epoch, incarnation),
            _ => continue,
        };
        let owner = record.owners.entry((key.clone(), *epoch));
        if *owner.or_insert(*incarnation) != *incarnation {
            return Err(format!("two lives of workers have {key} under {epoch}"));
        }
    }
    Ok(())
}

/// Nothing is published or granted that the store does not hold.
fn invariant_durable_first(world: &mut World) -> Result<(), String> {
    for fact in &world.record.facts {
        if let Fact::Published {
            key,
            epoch,
            durable: false,
            ..
        }
        | Fact::Held {
            key,
            epoch,
            durable: false,
            ..
        } = fact
        {
            return Err(format!("{key} under {epoch} is in force and not durable"));
        }
    }
    Ok(())
}

/// An answer that reaches a client is of the epoch that is in force.
fn invariant_no_stale_answer(world: &mut World) -> Result<(), String> {
    for fact in &world.record.facts {
        if let Fact::Passed { key, epoch } = fact
            && world.record.in_force.get(key) != Some(epoch)
        {
            let current = world.record.in_force.get(key);
            return Err(format!(
                "an answer for {key} under {epoch} was passed on while {current:?} is in force"
            ));
        }
    }
    Ok(())
}

/// A request that may have been begun with is not offered again unless it is safe; one that was
/// refused has not been begun with.
fn invariant_nothing_silently_repeated(world: &mut World) -> Result<(), String> {
    let record = &mut world.record;
    for fact in &record.facts {
        match fact {
            Fact::Offered { request, exchange } => {
                record.request_of.insert(*exchange, *request);
                let deliveries = record.deliveries.entry(*request).or_default();
                if !deliveries.safe && !deliveries.open.is_empty() {
                    return Err(format!("{request:?} is not safe and was offered twice"));
                }
                deliveries.open.insert(*exchange);
            }
            Fact::Begun { request, exchange } => {
                let deliveries = record.deliveries.entry(*request).or_default();
                deliveries.begun.insert(*exchange);
                if !deliveries.open.contains(exchange) {
                    return Err(format!("{request:?} was begun with after it was refused"));
                }
                if !deliveries.safe && deliveries.begun.len() > 1 {
                    return Err(format!("{request:?} is not safe and was begun with twice"));
                }
            }
            Fact::Refused { exchange } => {
                let request = record.request_of.get(exchange);
                let deliveries = request.and_then(|request| record.deliveries.get_mut(request));
                if let Some(deliveries) = deliveries {
                    deliveries.open.remove(exchange);
                    if deliveries.begun.contains(exchange) {
                        return Err(format!("{exchange:?} was begun with and then refused"));
                    }
                }
            }
            Fact::Published { .. }
            | Fact::Held { .. }
            | Fact::Passed { .. }
            | Fact::Wrote { .. } => {}
        }
    }
    Ok(())
}

/// What waits and what is pinned stays within its limits, and nobody waits who is not counted.
fn invariant_bounded(world: &mut World) -> Result<(), String> {
    if let Some(broken) = world.record.broken.take() {
        return Err(broken);
    }
    let Some(controller) = &world.controller else {
        return Ok(());
    };
    let (placement, rules) = (&controller.placement, controller.placement.rules());
    let waiting = placement.waiting();
    if waiting > rules.waiting_max {
        return Err(format!("{waiting} requests wait"));
    }
    if waiting != controller.tickets.len() {
        let asked = controller.tickets.len();
        return Err(format!("{waiting} requests wait and {asked} want to know"));
    }
    for key in &world.scenario.keys {
        let waiting = placement.waiting_for(key);
        if waiting > rules.waiting_per_key_max {
            return Err(format!("{waiting} requests wait for {key}"));
        }
    }
    if placement.pins() > rules.keys_max {
        return Err(format!("there are {} pins", placement.pins()));
    }
    let lives = placement.holders().count();
    if lives > world.lives_max() {
        return Err(format!("{lives} lives of workers are known"));
    }
    Ok(())
}

/// Whoever writes without being the owner has a lower epoch than the owner, so that the resource
/// can refuse it; and an epoch that it takes never belongs to two.
fn invariant_fence_holds(world: &mut World) -> Result<(), String> {
    let rising = world.scenario.has_rising_epochs();
    let record = &mut world.record;
    for fact in &record.facts {
        let Fact::Wrote {
            key,
            epoch,
            incarnation,
        } = fact
        else {
            continue;
        };
        let published = record.published.get(key);
        if let Some((current, owner)) = published
            && owner != incarnation
            && epoch >= current
            && rising
        {
            return Err(format!(
                "{key} was written under {epoch} by a life that does not own it under {current}"
            ));
        }
        let highest = record.fence.entry(key.clone()).or_default();
        if epoch < highest {
            record.counts.fenced += 1;
        }
        *highest = (*highest).max(*epoch);
    }
    Ok(())
}

/// After faults have stopped, every key is served again. Looked at once, at the end.
pub(crate) fn invariant_it_recovers(world: &World) -> Result<(), Violation> {
    let failed = |seen| {
        let invariant = "invariant_it_recovers";
        Err(Violation { invariant, seen })
    };
    let missing = |key: &&ResourceKey| !world.record.recovered.contains(*key);
    if let Some(key) = world.scenario.keys.iter().find(missing) {
        return failed(format!("{key} is not served"));
    }
    if let Some((request, _)) = world.requests.first_key_value() {
        return failed(format!("{request:?} still waits"));
    }
    Ok(())
}
