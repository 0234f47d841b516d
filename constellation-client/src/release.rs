//! Giving one key back: no new requests, time for those that run, the resource closed, the
//! controller told. In that order, whatever the reason; the reason only says how much time.

use std::{pin::pin, rc::Rc};

use futures::future::select;

use crate::{domain::Domain, event::ReleaseReason, holding::Holding};

/// Gives a key back and returns when that is done, by this call or by one before it.
///
/// An immediate `reason` cuts the time short that a release before it still gives.
pub(crate) async fn release(domain: Rc<Domain>, holding: Rc<Holding>, reason: ReleaseReason) {
    if reason.is_immediate() {
        holding.withdraw(reason);
    }
    if !holding.begin_closing().await {
        return holding.closed().await;
    }
    finish_running(&domain, &holding).await;
    holding.withdraw(reason);
    holding.idle().await;
    let reason = holding.withdrawn().unwrap_or(reason);
    close_resource(&domain, &holding, reason).await;
    domain.closed(&holding, reason);
}

/// Waits until nothing runs, as long as there is time for that.
async fn finish_running(domain: &Domain, holding: &Holding) {
    let settings = domain.settings();
    let idle = pin!(holding.idle());
    let patience = pin!(settings.clock.sleep(settings.drain_timeout));
    let withdrawal = pin!(holding.withdrawal());
    select(idle, select(patience, withdrawal)).await;
}

async fn close_resource(domain: &Domain, holding: &Holding, reason: ReleaseReason) {
    let settings = domain.settings();
    let resource = holding.resource();
    let told = Rc::clone(resource).tell_closing(reason);
    let patience = pin!(settings.clock.sleep(settings.closing_timeout));
    // After the end of the lease the margin is all the time there is, because another worker may
    // own the key when it is over.
    let loss = pin!(async {
        holding.loss().await;
        settings.clock.sleep(domain.lease().margin()).await;
    });
    select(told, select(patience, loss)).await;
    Rc::clone(resource).stop().await;
}
