//! A thread with an App of its own: takes requests from the thread of the sessions, one task each.

use std::{fmt, future::Future, io, rc::Rc, sync::Arc};

use actix_http::{Request, Response, body::MessageBody};
use actix_rt::Arbiter;
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::dev::AppConfig;
use constellation_actors::ownership::reason::ReleaseReason;
use futures::future::LocalBoxFuture;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

use super::job::Job;
use crate::{error::HandlerError, grant::Grant};

/// What is done in the thread of a key before it goes.
pub(crate) type OnClosing =
    Arc<dyn Fn(Grant, ReleaseReason) -> LocalBoxFuture<'static, ()> + Send + Sync>;

/// A thread with an App. It ends when this is dropped.
pub(super) struct Thread {
    orders: mpsc::Sender<Order>,
    arbiter: Arbiter,
}

/// Tells whether a thread's App was made.
pub(super) type Made = oneshot::Receiver<Result<(), HandlerError>>;

enum Order {
    Handle(Job),
    Close {
        grant: Grant,
        reason: ReleaseReason,
        done: oneshot::Sender<()>,
    },
}

/// Why a thread took no request.
pub(super) enum NotTaken {
    /// As many wait for it as may.
    Full,
    /// It has ended.
    Gone,
}

impl Thread {
    /// Starts a thread, in which `factory` makes the App. At most `waiting_max` requests wait for it.
    pub(super) fn start<F, I, S, B>(
        factory: F,
        waiting_max: usize,
        on_closing: Option<OnClosing>,
    ) -> io::Result<(Self, Made)>
    where
        F: Fn() -> I + Send + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<actix_web::Error>,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let (orders, received) = mpsc::channel(waiting_max);
        let (tell, made) = oneshot::channel();
        let arbiter = Arbiter::try_new()?;
        let started = arbiter.spawn_fn(move || {
            actix_rt::spawn(async move {
                let application = factory().into_factory();
                let service = match application.new_service(AppConfig::default()).await {
                    Ok(service) => Rc::new(service),
                    Err(error) => {
                        let reason = format_args!("the App could not be made: {error:?}");
                        let _nobody_waits = tell.send(Err(HandlerError::new(reason)));
                        return;
                    }
                };
                let _nobody_waits = tell.send(Ok(()));
                obey(service, received, on_closing).await;
            });
        });
        if started {
            Ok((Self { orders, arbiter }, made))
        } else {
            Err(io::Error::other("the App's thread ended at once"))
        }
    }

    /// Has a request handled, now or later.
    pub(super) fn handle(&self, job: Job) -> Result<(), NotTaken> {
        self.orders
            .try_send(Order::Handle(job))
            .map_err(|error| match error {
                TrySendError::Full(_) => NotTaken::Full,
                TrySendError::Closed(_) => NotTaken::Gone,
            })
    }

    /// Has what the App keeps of a key closed, behind the requests that wait, and waits for that.
    pub(super) fn close(
        &self,
        grant: Grant,
        reason: ReleaseReason,
    ) -> impl Future<Output = ()> + use<> {
        let orders = self.orders.clone();
        async move {
            let (done, closed) = oneshot::channel();
            let order = Order::Close {
                grant,
                reason,
                done,
            };
            if orders.send(order).await.is_ok() {
                let _done_or_panicked = closed.await;
            }
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.arbiter.stop();
    }
}

async fn obey<S, B>(
    service: Rc<S>,
    mut orders: mpsc::Receiver<Order>,
    on_closing: Option<OnClosing>,
) where
    S: Service<Request> + 'static,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    while let Some(order) = orders.recv().await {
        match order {
            Order::Handle(job) => {
                actix_rt::spawn(job.run(Rc::clone(&service)));
            }
            Order::Close {
                grant,
                reason,
                done,
            } => {
                if let Some(on_closing) = on_closing.clone() {
                    actix_rt::spawn(async move {
                        // Called in here, so that a panic is the end of this task alone.
                        on_closing(grant, reason).await;
                        let _nobody_waits = done.send(());
                    });
                }
            }
        }
    }
}
