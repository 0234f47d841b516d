//! Who is there: the holders, found by session and incarnation, ordered by deadline and by turn.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    command::Obstacle,
    grant::GrantId,
    holder::{Holder, HolderId, SessionId, Standing},
    input::Arrival,
    key::ResourceKey,
    moment::Moment,
    pin::Grants,
    rotation::Rotation,
    rules::Rules,
    worker::{Assurance, Incarnation, Profile, WorkerId},
};
use crate::mutation::{self, Mutation};

/// Every holder, and the orders and indexes that find one without a scan.
///
/// A holder is changed through [`Roster::update`] alone, which keeps them right.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Roster {
    holders: BTreeMap<HolderId, Holder>,
    by_session: HashMap<SessionId, HolderId>,
    by_incarnation: HashMap<(WorkerId, Incarnation), HolderId>,
    deadlines: BTreeSet<(Moment, HolderId)>,
    rotation: Rotation,
    last_holder: u32,
    last_turn: u64,
}

impl Roster {
    pub(super) fn iter(&self) -> impl Iterator<Item = (HolderId, &Holder)> {
        self.holders.iter().map(|(id, holder)| (*id, holder))
    }

    pub(super) fn get(&self, id: HolderId) -> Option<&Holder> {
        self.holders.get(&id)
    }

    pub(super) fn by_session(&self, session: SessionId) -> Option<HolderId> {
        self.by_session.get(&session).copied()
    }

    pub(super) fn by_incarnation(
        &self,
        worker: WorkerId,
        incarnation: Incarnation,
    ) -> Option<HolderId> {
        if mutation::is_active(Mutation::IncarnationIgnored) {
            return self.lives(worker).next();
        }
        self.by_incarnation.get(&(worker, incarnation)).copied()
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(moment, _)| *moment)
    }

    /// The holder whose deadline is the first that is over.
    pub(super) fn due(&self, now: Moment) -> Option<HolderId> {
        self.deadlines
            .first()
            .filter(|(moment, _)| *moment <= now)
            .map(|(_, id)| *id)
    }

    /// Who is next for a `key` that is new, or is to leave `except`.
    pub(super) fn next_for(&self, key: &str, except: Option<HolderId>) -> Option<HolderId> {
        self.rotation.next(key, except)
    }

    /// The life of `worker` that may get `key`.
    ///
    /// # Errors
    ///
    /// With what stands in the way of its latest life, or `None` when it has none.
    pub(super) fn eligible(
        &self,
        worker: WorkerId,
        key: &str,
    ) -> Result<HolderId, Option<Obstacle>> {
        let mut obstacle = None;
        for id in self.lives(worker) {
            obstacle = self.get(id).and_then(|holder| holder.obstacle(key));
            if obstacle.is_none() {
                return Ok(id);
            }
        }
        Err(obstacle)
    }

    /// Every life of `worker` that is not over. Looks at every holder.
    pub(super) fn lives(&self, worker: WorkerId) -> impl Iterator<Item = HolderId> {
        let of_worker = move |(_, holder): &(&HolderId, &Holder)| holder.worker == worker;
        self.holders.iter().filter(of_worker).map(|(id, _)| *id)
    }

    /// Begins a life that holds nothing yet.
    pub(super) fn enter(&mut self, now: Moment, arrival: &Arrival, rules: &Rules) -> HolderId {
        let id = self.expect(now, arrival.worker, arrival.incarnation, rules);
        self.update(id, rules, |holder| {
            holder.profile = arrival.profile.clone();
            holder.assurance = arrival.assurance;
            holder.standing = Standing::Live {
                session: arrival.session,
            };
        });
        id
    }

    /// Takes up a life that has no connection yet.
    pub(super) fn expect(
        &mut self,
        now: Moment,
        worker: WorkerId,
        incarnation: Incarnation,
        rules: &Rules,
    ) -> HolderId {
        self.last_holder += 1;
        let id = HolderId(self.last_holder);
        let holder = Holder {
            worker,
            incarnation,
            profile: Profile::default(),
            assurance: Assurance::Leased,
            standing: Standing::Suspended,
            heard: now,
            probed: now,
            cordoned: false,
            barred: false,
            drain: None,
            given_up: false,
            lease_floor: Moment::ZERO,
            leaving: BTreeSet::new(),
            grants: Grants::default(),
            awaited: BTreeSet::new(),
            rank: None,
            last_turn: 0,
            deadline: Moment::ZERO,
        };
        self.by_incarnation.insert((worker, incarnation), id);
        self.holders.insert(id, holder);
        self.update(id, rules, |_| ());
        id
    }

    /// Ends a life.
    pub(super) fn leave(&mut self, id: HolderId) -> Option<Holder> {
        let holder = self.holders.remove(&id)?;
        self.deadlines.remove(&(holder.deadline, id));
        if let Some(rank) = holder.rank {
            self.rotation.remove(&holder.profile.serves, rank, id);
        }
        if let Some(session) = holder.standing.session() {
            self.by_session.remove(&session);
        }
        self.by_incarnation
            .remove(&(holder.worker, holder.incarnation));
        Some(holder)
    }

    /// Changes a holder, then files it anew under its deadline, its session and its rank.
    pub(super) fn update<T>(
        &mut self,
        id: HolderId,
        rules: &Rules,
        change: impl FnOnce(&mut Holder) -> T,
    ) -> Option<T> {
        let holder = self.holders.get_mut(&id)?;
        let session_before = holder.standing.session();
        let outcome = change(holder);

        let session = holder.standing.session();
        if session != session_before {
            session_before.map(|session| self.by_session.remove(&session));
            session.map(|session| self.by_session.insert(session, id));
        }
        let deadline = holder.next_deadline(rules);
        if deadline != holder.deadline {
            self.deadlines.remove(&(holder.deadline, id));
            holder.deadline = deadline;
        }
        self.deadlines.insert((deadline, id));
        let rank = holder
            .is_eligible()
            .then(|| rules.strategy.rank(holder.grants.len(), holder.last_turn));
        if rank != holder.rank {
            if let Some(rank) = holder.rank {
                self.rotation.remove(&holder.profile.serves, rank, id);
            }
            if let Some(rank) = rank {
                self.rotation.insert(&holder.profile.serves, rank, id);
            }
            holder.rank = rank;
        }
        Some(outcome)
    }

    /// Gives a holder one more key; it goes to the end of the order of choice.
    pub(super) fn give(&mut self, id: HolderId, key: ResourceKey, rules: &Rules) -> GrantId {
        self.last_turn += 1;
        let turn = self.last_turn;
        self.update(id, rules, |holder| {
            holder.last_turn = turn;
            holder.grants.insert(key)
        })
        .expect("a key is given to a holder that was just found")
    }

    /// Takes a key from a holder, if that is still there.
    pub(super) fn take(&mut self, id: HolderId, grant: GrantId, rules: &Rules) {
        self.update(id, rules, |holder| holder.grants.remove(grant));
    }
}
