//! The App that each worker hosts: the page of a world, its socket, and its state as JSON. It would
//! run in an HTTP server of its own as well, but for the [`Grant`] that tells who owns the world.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CACHE_CONTROL,
    web::{self, ServiceConfig},
};
use actix_web_actors::ws::WsResponseBuilder;
use constellation_client::Grant;

use crate::{
    live::{Look, Setup},
    page,
    problem::Problem,
    socket::PlayerSocket,
    wire::MESSAGE_BYTES_MAX,
    world_name::WorldName,
    worlds,
};

/// Everything that an App of game worlds has.
pub(crate) fn application(setup: &Setup) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let setup = web::Data::new(setup.clone());
    move |application| {
        let world = web::scope("/games/{world}")
            .service(web::resource("").route(web::get().to(show)))
            .service(web::resource("/socket").route(web::get().to(play)))
            .service(web::resource("/state").route(web::get().to(look)));
        application
            .app_data(setup)
            .service(world)
            .default_service(web::to(async || {
                HttpResponse::from_error(Problem::NotFound)
            }));
    }
}

fn name(segment: &web::Path<String>) -> Result<WorldName, Problem> {
    Ok(WorldName::parse(segment)?)
}

/// The page. It is the same for every world: the browser knows which one it is.
async fn show(segment: web::Path<String>) -> Result<HttpResponse, Problem> {
    name(&segment)?;
    let page = HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(page::PAGE);
    Ok(page)
}

async fn play(
    segment: web::Path<String>,
    grant: Grant,
    setup: web::Data<Setup>,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let world = worlds::alive(&name(&segment)?, &grant, &setup);
    let socket = PlayerSocket::new(world, setup.messages_per_second_max);
    WsResponseBuilder::new(socket, &request, body)
        .frame_size(MESSAGE_BYTES_MAX)
        .start()
}

async fn look(
    segment: web::Path<String>,
    grant: Grant,
    setup: web::Data<Setup>,
) -> Result<HttpResponse, Problem> {
    let world = worlds::alive(&name(&segment)?, &grant, &setup);
    let view = world.send(Look).await.map_err(|_| Problem::Unavailable)?;
    let view = view.map_err(|_| Problem::Unavailable)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(view))
}
