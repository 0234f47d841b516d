//! A player asks for a world to be moved to another worker.

use actix_web::{HttpResponse, web};
use constellation_actors::{
    Controller, OrderError,
    placement::{command::Command, key::ResourceKey},
};
use serde_json::json;

use crate::{problem::Problem, world_name::WorldName};

/// Orders the move to whoever is next, and answers as soon as it has begun.
pub(super) async fn move_world(
    segment: web::Path<String>,
    controller: web::Data<Controller>,
) -> Result<HttpResponse, Problem> {
    let name = WorldName::parse(&segment)?;
    let key = ResourceKey::parse(&format!("/games/{}", name.as_str()))
        .expect("a world's name is a plain segment of a path");
    let ordered = controller.order(Command::Move { key, to: None }).await;
    match ordered {
        Ok(()) => Ok(HttpResponse::Accepted().json(json!({ "moving": name.as_str() }))),
        Err(OrderError::Refused(refused)) => Err(refused.into()),
        Err(OrderError::Stopped) => Err(Problem::Unavailable),
    }
}
