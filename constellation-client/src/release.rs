//! Giving one key back, once the ownership wants it closed: what runs ends, the resource closes, the
//! ownership is told. How much time each has is the ownership's decision, but for `closing_timeout`.

use std::{pin::pin, rc::Rc};

use constellation_actors::ownership::input::Input;
use futures::future::select;

use crate::{domain::Domain, holding::Holding};

/// Closes a holding that takes no more requests.
pub(crate) async fn release(domain: Rc<Domain>, holding: Rc<Holding>) {
    select(pin!(holding.idle()), pin!(holding.withdrawal())).await;
    // What was cancelled still has to be dropped.
    holding.idle().await;
    close_resource(&domain, &holding).await;
    domain.handle(Input::Closed {
        holding: holding.id(),
    });
}

async fn close_resource(domain: &Domain, holding: &Holding) {
    let settings = domain.settings();
    let resource = holding.resource();
    if let Some(reason) = holding.closing() {
        let told = Rc::clone(resource).tell_closing(reason);
        let patience = pin!(settings.clock.sleep(settings.closing_timeout));
        let abandonment = pin!(holding.abandonment());
        select(told, select(patience, abandonment)).await;
    }
    Rc::clone(resource).stop().await;
}
