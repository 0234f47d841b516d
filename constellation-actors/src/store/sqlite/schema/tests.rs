//! Files of earlier versions become files of this one, or stay what they were.

use super::*;

const NOW: u64 = 1_800_000_000_000_000;

/// A step of a later version that changes what version 1 holds.
fn with_notes(transaction: &Transaction<'_>, _now_micros: u64) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "ALTER TABLE pins ADD COLUMN note TEXT NOT NULL DEFAULT 'old';
         CREATE TABLE more (a INTEGER) STRICT;",
    )
}

/// A step that fails after it has changed something.
fn broken(transaction: &Transaction<'_>, _now_micros: u64) -> rusqlite::Result<()> {
    transaction.execute_batch("DROP TABLE pins; DROP TABLE nothing")
}

fn tables(connection: &Connection) -> Vec<String> {
    let mut select = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names = select.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

#[test]
fn an_empty_file_becomes_one_of_this_version_and_is_then_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    assert_eq!(origin(&connection), Ok(Origin::Empty));
    for now_micros in [NOW, NOW + 1] {
        migrate(&mut connection, STEPS, now_micros).unwrap();
        assert_eq!(origin(&connection), Ok(Origin::Known));
        assert_eq!(version(&connection), Ok(STEPS.len() as i64));
        let sql = "SELECT next_epoch, complete FROM state";
        let state = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(state, Ok((NOW as i64, false)));
    }
}

#[test]
fn an_older_file_takes_the_steps_that_it_lacks_and_keeps_its_pins() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &[version_1], NOW).unwrap();
    let pin = "INSERT INTO pins (key, owner, epoch) VALUES ('/a', 1, 7)";
    connection.execute_batch(pin).unwrap();
    migrate(&mut connection, &[version_1, with_notes], NOW + 1).unwrap();
    assert_eq!(version(&connection), Ok(2));
    let sql = "SELECT epoch, note, (SELECT next_epoch FROM state) FROM pins WHERE key = '/a'";
    let pin = connection.query_row(sql, [], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
    });
    assert_eq!(pin, Ok((7, "old".to_owned(), NOW as i64)));
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &[version_1], NOW).unwrap();
    let before = tables(&connection);
    assert!(migrate(&mut connection, &[version_1, with_notes, broken], NOW).is_err());
    assert_eq!(tables(&connection), before);
    assert_eq!(version(&connection), Ok(1));
    let mut empty = Connection::open_in_memory().unwrap();
    assert!(migrate(&mut empty, &[version_1, broken], NOW).is_err());
    assert_eq!(origin(&empty), Ok(Origin::Empty));
}

#[test]
fn a_version_that_is_not_known_is_told_apart_from_what_is_not_ours() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &[version_1, with_notes], NOW).unwrap();
    assert_eq!(origin(&connection), Ok(Origin::Newer { found: 2 }));
    connection.pragma_update(None, "user_version", -1).unwrap();
    assert_eq!(origin(&connection), Ok(Origin::Newer { found: -1 }));
    connection.pragma_update(None, "application_id", 0).unwrap();
    assert_eq!(origin(&connection), Ok(Origin::Foreign));
}
