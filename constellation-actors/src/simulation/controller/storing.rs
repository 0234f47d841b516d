//! What the store is asked, and when and how it answers.

use super::super::{
    World,
    clock::{MILLI, SECOND},
    event::Event,
    note, store,
};
use crate::placement::input::ClaimFailure;

impl World {
    pub(crate) fn ask_store(&mut self, requests: Vec<store::Request>) {
        for request in requests {
            let slow = self.scenario.bad_store && self.random.percent(10);
            let delay = if slow {
                self.random.between(10 * MILLI, 3 * SECOND)
            } else {
                self.random.between(100, 8 * MILLI)
            };
            self.store.asked.push_back(request);
            self.store_busy_until = self.store_busy_until.max(self.now) + delay;
            let life = self.lives as u64;
            self.at(self.store_busy_until, Event::Store(life));
        }
    }

    /// The store does the next thing it was asked.
    pub(crate) fn store_works(&mut self, life: u64) {
        if self.controller.as_ref().is_none_or(|it| it.life != life) {
            return;
        }
        let fails = self.scenario.bad_store && !self.faults_are_over;
        let fate = match self.random.below(100) {
            0..=5 if fails => store::Fate::Failed(ClaimFailure::Retryable),
            6..=8 if fails => store::Fate::Failed(ClaimFailure::Terminal),
            9..=13 if fails => store::Fate::Uncertain,
            _ => store::Fate::Done,
        };
        note!(self, "store: {:?} {fate:?}", self.store.asked.front());
        if let Some((claim, outcome)) = self.store.step(fate) {
            let late = self.random.between(10, 3 * MILLI);
            let arrives = self.store_answers_until.max(self.now) + late;
            self.store_answers_until = arrives;
            self.at(arrives, Event::Stored(life, claim, outcome));
        }
    }
}
