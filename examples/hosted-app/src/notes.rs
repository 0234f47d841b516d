//! Making, reading, changing and deleting notes.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::header::{ETAG, IF_NONE_MATCH, LOCATION},
    web,
};

use crate::{
    notebook::{Draft, Note},
    notebooks::Here,
    problem::Problem,
};

/// The path of one note.
type NotePath = web::Path<(String, i64)>;

pub(crate) async fn list(request: HttpRequest, here: Here) -> Result<HttpResponse, Problem> {
    let contents = here.with(|notebook| notebook.contents()).await?;
    let tag = format!("\"{}\"", contents.revision);
    let known = request.headers().get(IF_NONE_MATCH);
    if known.is_some_and(|known| known == tag.as_str()) {
        return Ok(HttpResponse::NotModified()
            .insert_header((ETAG, tag))
            .finish());
    }
    Ok(HttpResponse::Ok().insert_header((ETAG, tag)).json(contents))
}

pub(crate) async fn create(
    request: HttpRequest,
    path: web::Path<String>,
    here: Here,
    draft: web::Json<Draft>,
) -> Result<HttpResponse, Problem> {
    let draft = draft.into_inner();
    let note = here.with(|notebook| notebook.create(draft)).await?;
    let mut response = HttpResponse::Created();
    if let Ok(url) = request.url_for("note", [path.into_inner(), note.id.to_string()]) {
        response.insert_header((LOCATION, url.as_str()));
    }
    Ok(response.json(note))
}

pub(crate) async fn read(path: NotePath, here: Here) -> Result<web::Json<Note>, Problem> {
    let (_, id) = path.into_inner();
    Ok(web::Json(
        here.with(move |notebook| notebook.note(id)).await?,
    ))
}

pub(crate) async fn replace(
    path: NotePath,
    here: Here,
    draft: web::Json<Draft>,
) -> Result<web::Json<Note>, Problem> {
    let ((_, id), draft) = (path.into_inner(), draft.into_inner());
    let replaced = here
        .with(move |notebook| notebook.replace(id, draft))
        .await?;
    Ok(web::Json(replaced))
}

pub(crate) async fn delete(path: NotePath, here: Here) -> Result<impl Responder, Problem> {
    let (_, id) = path.into_inner();
    here.with(move |notebook| notebook.delete(id)).await?;
    Ok(HttpResponse::NoContent())
}
