//! The application: which service answers what.

use actix_web::{HttpResponse, web};

use crate::{events, notebooks::Notebooks, notes, page, problem::Problem};

/// The most bytes of a note.
const NOTE_BYTES_MAX: usize = 64 * 1024;

/// Everything that an `App` of this application has.
pub(crate) fn application(
    notebooks: &web::Data<Notebooks>,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let notebooks = notebooks.clone();
    let json = web::JsonConfig::default()
        .limit(NOTE_BYTES_MAX)
        .error_handler(|error, _| Problem::from(error).into());
    let path = web::PathConfig::default().error_handler(|_, _| Problem::NoSuchNote.into());
    move |application| {
        let note = web::resource("/{id}")
            .name("note")
            .route(web::get().to(notes::read))
            .route(web::put().to(notes::replace))
            .route(web::delete().to(notes::delete));
        let notes = web::scope("/notes")
            .service(
                web::resource("")
                    .route(web::get().to(notes::list))
                    .route(web::post().to(notes::create)),
            )
            .service(note);
        let notebook = web::scope("/notebooks/{notebook}")
            .app_data(json)
            .app_data(path)
            .service(web::resource("").route(web::get().to(page::show)))
            .service(web::resource("/events").route(web::get().to(events::follow)))
            .service(notes);
        application
            .app_data(notebooks)
            .service(notebook)
            .default_service(web::to(async || {
                HttpResponse::from_error(Problem::NoSuchPage)
            }));
    }
}
