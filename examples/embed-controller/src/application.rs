//! The application's routes: pages of its own, and the controller at two scopes. This is all
//! that embedding takes; nothing here knows how the controller works.

use actix_web::{HttpResponse, Responder, http::header::ContentType, web};
use constellation_actors::Controller;

use crate::page::{self, WorkerLine};

/// The scope of the rooms. The rest of a path below it names one.
pub(crate) const ROOMS_SCOPE: &str = "/games";

/// The scope that workers connect to, when they share the application's port.
pub(crate) const WORKERS_SCOPE: &str = "/workers-endpoint";

/// Where workers connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkersAt {
    /// [`WORKERS_SCOPE`] of the application.
    TheApplication,
    /// A server of their own.
    AnotherPort,
}

/// Mounts everything in an `App`.
pub(crate) fn routes(config: &mut web::ServiceConfig, controller: &Controller, workers: WorkersAt) {
    config
        .app_data(web::Data::new(controller.clone()))
        .route("/", web::get().to(home))
        .route("/about", web::get().to(about))
        .route("/backstage", web::get().to(backstage))
        .service(web::scope(ROOMS_SCOPE).configure(controller.ingress()));
    match workers {
        WorkersAt::TheApplication => {
            config.service(web::scope(WORKERS_SCOPE).configure(controller.gateway()));
        }
        WorkersAt::AnotherPort => {}
    }
}

async fn home() -> impl Responder {
    html(page::home())
}

async fn about() -> impl Responder {
    html(page::about())
}

async fn backstage(controller: web::Data<Controller>) -> impl Responder {
    let mut rooms = controller.pins().await;
    let workers = controller.workers().await;
    let lines: Vec<_> = workers
        .into_iter()
        .map(|worker| WorkerLine {
            id: worker.id.to_string(),
            rooms: rooms.remove(&worker.id).unwrap_or_default(),
            name: worker.name,
            healthy: worker.healthy,
        })
        .collect();
    html(page::backstage(&lines))
}

fn html(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .body(text)
}
