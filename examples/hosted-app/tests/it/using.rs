//! What the application does, the same by itself and behind a controller.

use serde_json::json;

use crate::{
    curl::{curl, listen},
    programs::{Controller, alone},
};

const JSON: &str = "content-type: application/json";

/// Looks at the page of a notebook and at what it sets.
fn visit_it(url: &str) {
    let recipes = format!("{url}/notebooks/recipes");
    let page = curl(&[&recipes]);
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(page.body.contains("EventSource") && page.header("date").is_some());
    let cookies = page.headers("set-cookie");
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(cookies[0].starts_with("notebook=recipes;") && cookies[1].starts_with("visitor="));
    let known = curl(&["--cookie", "visitor=x", &format!("{recipes}/")]);
    assert_eq!((known.status, known.headers("set-cookie").len()), (200, 1));
}

/// Follows a notebook from its first note to its last.
fn use_it(url: &str) {
    let recipes = format!("{url}/notebooks/recipes");
    let notes = format!("{recipes}/notes");
    let events = listen(&format!("{recipes}/events"));
    events.line("the first event", |line| {
        line.contains("event: hello").then_some(())
    });

    let bread = r#"{"title":"Bread","text":"Flour, water, salt."}"#;
    let created = curl(&[
        "--data",
        bread,
        "--header",
        JSON,
        "--header",
        "expect: 100-continue",
        &notes,
    ]);
    assert_eq!(created.status, 201, "{created:?}");
    let note = json!({ "id": 1, "title": "Bread", "text": "Flour, water, salt." });
    assert_eq!(created.json(), note);
    let one = format!("{notes}/1");
    assert_eq!(
        created.header("location"),
        Some(one.as_str()),
        "where clients reach it"
    );
    events.line("the new note", |line| {
        let data = line.strip_prefix("data: ")?;
        data.contains(r#""change":"created""#).then_some(())
    });

    let list = curl(&[&notes]);
    assert_eq!(list.json(), json!({ "revision": 1, "notes": [note] }));
    let tag = format!("if-none-match: {}", list.header("etag").unwrap());
    let same = curl(&["--header", &tag, &notes]);
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    let head = curl(&["--head", &notes]);
    assert_eq!(head.status, 405, "the application has no HEAD here");

    let replaced = curl(&[
        "--request",
        "PUT",
        "--data",
        r#"{"title":"Rye"}"#,
        "--header",
        JSON,
        &one,
    ]);
    assert_eq!(
        (replaced.status, &replaced.json()["title"]),
        (200, &"Rye".into())
    );
    let changed = curl(&["--header", &tag, &notes]);
    assert_eq!(
        (changed.status, &changed.json()["revision"]),
        (200, &2.into())
    );
    assert_eq!(curl(&["--request", "DELETE", &one]).status, 204);
    events.line("the note's end", |line| {
        line.contains(r#""change":"deleted""#).then_some(())
    });
    assert_eq!(curl(&[&one]).status, 404);
}

/// Does what it refuses, and looks at the errors.
fn misuse_it(url: &str) {
    let notes = format!("{url}/notebooks/errors/notes");
    let told = |arguments: &[&str]| {
        let answer = curl(arguments);
        let word = answer.json()["error"].as_str().unwrap().to_owned();
        (answer.status, word)
    };
    let post = |body: &str| told(&["--data", body, "--header", JSON, &notes]);
    assert_eq!(post("{"), (400, "body".to_owned()));
    assert_eq!(post(r#"{"title":"  "}"#), (422, "title".to_owned()));
    let long = format!(r#"{{"title":"long","text":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(post(&long), (413, "body".to_owned()));
    assert_eq!(
        told(&[&format!("{notes}/7")]),
        (404, "no_such_note".to_owned())
    );
    assert_eq!(
        told(&[&format!("{notes}/seven")]),
        (404, "no_such_note".to_owned())
    );
    assert_eq!(
        told(&[&format!("{url}/notebooks/No!/notes")]),
        (422, "name".to_owned())
    );
    assert_eq!(
        told(&[&format!("{url}/notebooks/errors/pages")]),
        (404, "no_such_page".to_owned())
    );
}

#[test]
fn by_itself() {
    let data = tempfile::tempdir().unwrap();
    let (_program, url) = alone(data.path());
    visit_it(&url);
    use_it(&url);
    misuse_it(&url);
}

#[test]
fn behind_a_controller() {
    let data = tempfile::tempdir().unwrap();
    let controller = Controller::start();
    let _workers = ["one", "two"].map(|name| controller.worker(name, data.path()));
    visit_it(&controller.url);
    use_it(&controller.url);
    misuse_it(&controller.url);
}
