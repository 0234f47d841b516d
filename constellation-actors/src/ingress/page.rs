//! The page that says the node is operational, and its icon.

use actix_web::{
    HttpResponse,
    http::header::{self, ContentType},
};

const PAGE: &str = include_str!("page.html");
const ICON: &[u8] = include_bytes!("favicon.svg");

pub(super) fn operational() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .body(PAGE)
}

pub(super) fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .body(ICON)
}
