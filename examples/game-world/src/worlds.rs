//! The worlds that are alive in this thread. All requests of a key come to one thread, so nobody else
//! has its world, and no lock is needed.

use std::{cell::RefCell, collections::HashMap};

use actix::{Actor, Addr};
use constellation_client::{Grant, ReleaseReason};

use crate::{
    live::{Finish, LiveWorld, Setup},
    world_name::WorldName,
};

thread_local! {
    static ALIVE: RefCell<HashMap<String, Alive>> = RefCell::default();
}

struct Alive {
    grant: Grant,
    world: Addr<LiveWorld>,
}

/// The world of this name, which this worker owns under `grant`; begins it if need be.
pub(crate) fn alive(name: &WorldName, grant: &Grant, setup: &Setup) -> Addr<LiveWorld> {
    ALIVE.with_borrow_mut(|alive| {
        let known = alive.get(name.as_str());
        if let Some(known) = known.filter(|it| it.grant == *grant && it.world.connected()) {
            return known.world.clone();
        }
        let world = LiveWorld::new(name.clone(), grant.clone(), setup.clone()).start();
        let entry = Alive {
            grant: grant.clone(),
            world: world.clone(),
        };
        alive.insert(name.as_str().to_owned(), entry);
        world
    })
}

/// Called when a key is about to go, in its thread: its world, if it is alive, is saved and ends.
pub(crate) async fn close(grant: Grant, _why: ReleaseReason) {
    let closed = ALIVE.with_borrow_mut(|alive| {
        let of_grant = alive.extract_if(|_, it| it.grant == grant);
        of_grant.map(|(_, it)| it.world).next()
    });
    if let Some(world) = closed {
        // An error means that it has ended by itself.
        let _ended = world.send(Finish).await;
    }
}
