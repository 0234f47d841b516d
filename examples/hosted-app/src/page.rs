//! The page that shows a notebook, live.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, COOKIE, ContentType, SET_COOKIE},
    web,
};
use uuid::Uuid;

use crate::{notebooks::Here, problem::Problem};

const PAGE: &str = include_str!("page.html");

/// The page. Its visitors get a name of their own, and their last notebook is remembered.
pub(crate) async fn show(
    request: HttpRequest,
    notebook: web::Path<String>,
    _exists: Here,
) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::Ok();
    response
        .content_type(ContentType::html())
        .insert_header((CACHE_CONTROL, "no-cache"))
        .append_header((
            SET_COOKIE,
            format!("notebook={notebook}; Path=/notebooks; SameSite=Lax"),
        ));
    if !is_known(&request) {
        let visitor = Uuid::new_v4();
        response.append_header((
            SET_COOKIE,
            format!("visitor={visitor}; Path=/notebooks; HttpOnly; SameSite=Lax"),
        ));
    }
    Ok(response.body(PAGE))
}

fn is_known(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(COOKIE)
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split("; "))
        .any(|cookie| cookie.starts_with("visitor="))
}
