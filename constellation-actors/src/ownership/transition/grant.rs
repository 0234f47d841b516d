//! The controller gives a key, and takes one.

use crate::{
    ownership::{
        Ownership, Stage,
        effect::{Effect, Ignored},
        holding::{Holding, HoldingId, Standing},
        reason::ReleaseReason,
    },
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey, moment::Moment},
    protocol::frame::code::RevokeReason,
};

/// What a grant comes to.
enum Taking {
    /// It is not taken.
    Ignored(Ignored),
    /// It confirms what is held.
    Confirmed(HoldingId),
    /// The key begins to be held, after this holding of it.
    Begun(Option<HoldingId>),
}

impl Ownership {
    pub(super) fn granted(
        &mut self,
        now: Moment,
        name: GrantId,
        epoch: Epoch,
        key: ResourceKey,
        outbox: &mut Vec<Effect>,
    ) {
        // Whatever comes of it, the name no longer means what it meant before.
        self.table.forget_name(name);
        match self.taking(now, epoch, &key) {
            Taking::Ignored(because) => self.ignore_grant(now, epoch, key, because, outbox),
            Taking::Confirmed(id) => {
                self.table
                    .change(id, |holding| holding.standing = Standing::Granted);
                self.table.name(id, name);
            }
            Taking::Begun(before) => {
                if let Some(before) = before {
                    self.end(now, before, ReleaseReason::Superseded, outbox);
                }
                self.hold(name, epoch, key, outbox);
            }
        }
    }

    fn taking(&self, now: Moment, epoch: Epoch, key: &str) -> Taking {
        if !self.has_lease(now) {
            return Taking::Ignored(Ignored::NoLease);
        }
        if let Some(given_back) = self.given_back.epoch(key)
            && given_back >= epoch
        {
            return Taking::Ignored(Ignored::GivenBack(given_back));
        }
        let current = self.table.current(key);
        match current {
            Some((_, held)) if held.epoch > epoch => {
                Taking::Ignored(Ignored::HeldHigher(held.epoch))
            }
            Some((id, held)) if held.epoch == epoch && !held.is_lost() => Taking::Confirmed(id),
            // Its RELEASED would be read as one of the grant.
            Some((_, held)) if held.epoch == epoch && held.is_release_told() => {
                Taking::Ignored(Ignored::GivenBack(epoch))
            }
            _ if self.stage != Stage::Serving => Taking::Ignored(Ignored::Leaving),
            _ => Taking::Begun(current.map(|(id, _)| id)),
        }
    }

    fn ignore_grant(
        &mut self,
        now: Moment,
        epoch: Epoch,
        key: ResourceKey,
        because: Ignored,
        outbox: &mut Vec<Effect>,
    ) {
        outbox.push(Effect::GrantIgnored {
            key: key.clone(),
            epoch,
            because,
        });
        match because {
            Ignored::NoLease | Ignored::HeldHigher(_) | Ignored::GivenBack(_) => {}
            // The controller need not wait for the goodbye, unless something of the key is left.
            Ignored::Leaving => match self.table.current(&key).map(|(id, _)| id) {
                Some(before) => self.end(now, before, ReleaseReason::Superseded, outbox),
                None => self.tell_released(key, epoch, outbox),
            },
        }
    }

    fn hold(&mut self, name: GrantId, epoch: Epoch, key: ResourceKey, outbox: &mut Vec<Effect>) {
        let id = self.table.insert(Holding::new(key.clone(), epoch));
        self.table.name(id, name);
        outbox.push(Effect::Hold {
            holding: id,
            epoch,
            key,
        });
        if self.table.is_first(id) {
            self.open(id, outbox);
        }
    }

    pub(super) fn revoked(
        &mut self,
        now: Moment,
        reason: RevokeReason,
        epoch: Epoch,
        key: &ResourceKey,
        outbox: &mut Vec<Effect>,
    ) {
        self.note_progress(now);
        let held = self
            .table
            .of_key(key)
            .find(|(_, holding)| holding.epoch == epoch)
            .map(|(id, holding)| (id, holding.standing));
        match held {
            // It is not held, or not any more; the controller need not wait.
            None => self.tell_released(key.clone(), epoch, outbox),
            Some((id, Standing::Lost { close_by, .. })) => self.table.change(id, |holding| {
                holding.standing = Standing::Lost {
                    awaited: true,
                    close_by,
                };
            }),
            Some((id, Standing::Granted | Standing::Unconfirmed(_))) => {
                self.end(now, id, ReleaseReason::from(reason), outbox);
            }
        }
    }
}
