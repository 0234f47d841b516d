//! What holds in every world.

use super::{snapshot::Snapshot, *};

const LIMITS: Limits = Limits {
    present_max: 3,
    remembered_max: 4,
};

/// A step of the server.
const STEP: f64 = 0.05;

fn key(number: u8) -> PlayerKey {
    PlayerKey::parse(&format!("{number:032x}")).unwrap()
}

fn name(text: &str) -> PlayerName {
    PlayerName::parse(text).unwrap()
}

fn heading(x: f64, y: f64) -> Heading {
    Heading::new(x, y).unwrap()
}

/// Heads for the nearest thing; what a bot does.
fn seek(world: &mut World, number: PlayerNumber) {
    let at = world.players[&number].place();
    let nearest = world
        .things()
        .map(|(_, thing)| thing.place())
        .min_by(|one, other| {
            let far = |place: &Place| (place.x - at.x).hypot(place.y - at.y);
            far(one).total_cmp(&far(other))
        })
        .unwrap();
    let (x, y) = (nearest.x - at.x, nearest.y - at.y);
    let length = x.hypot(y).max(1.0);
    world.steer(number, heading(x / length, y / length));
}

fn score(world: &World, number: PlayerNumber) -> u64 {
    world.players[&number].score()
}

#[test]
fn worlds_of_one_seed_in_which_the_same_is_done_are_equal() {
    let play = |seed| {
        let mut world = World::new(seed, LIMITS);
        let ann = world.join(key(1), name("Ann")).unwrap();
        for _ in 0..400 {
            seek(&mut world, ann);
            world.step(STEP);
        }
        world
    };
    assert_eq!(play(7), play(7));
    assert_ne!(play(7), play(8));
}

#[test]
fn who_reaches_a_thing_has_its_value_and_another_comes() {
    let mut world = World::new(1, LIMITS);
    let ann = world.join(key(1), name("Ann")).unwrap();
    let before = world.revision();
    let mut last = 0;
    for _ in 0..2_000 {
        seek(&mut world, ann);
        world.step(STEP);
        assert_eq!(world.things().count(), THINGS);
        assert!(score(&world, ann) >= last, "a score never falls");
        last = score(&world, ann);
    }
    assert!(last >= 20, "{last}");
    assert!(world.revision() > before);
}

#[test]
fn nobody_leaves_the_world_or_is_faster_than_the_speed() {
    let mut world = World::new(2, LIMITS);
    let ann = world.join(key(1), name("Ann")).unwrap();
    for (x, y) in [(1.0, 0.0), (0.0, 1.0), (-1.0, -1.0), (1.0, -1.0)] {
        world.steer(ann, heading(x, y));
        for _ in 0..200 {
            let before = world.players[&ann].place();
            world.step(STEP);
            let after = world.players[&ann].place();
            assert!(after.is_inside(), "{after:?}");
            let way = (after.x - before.x).hypot(after.y - before.y);
            assert!(way <= 300.0 * STEP + 0.01, "{way}");
        }
    }
}

#[test]
fn who_comes_back_has_the_score_and_the_place_from_before() {
    let mut world = World::new(3, LIMITS);
    let ann = world.join(key(1), name("Ann")).unwrap();
    for _ in 0..400 {
        seek(&mut world, ann);
        world.step(STEP);
    }
    let (earned, place) = (score(&world, ann), world.players[&ann].place());
    assert!(earned > 0);
    world.leave(ann);
    assert_eq!(world.present().count(), 0);
    world.step(STEP);
    assert_eq!(world.join(key(1), name("Anna")), Ok(ann));
    let back = &world.players[&ann];
    assert_eq!((back.score(), back.place()), (earned, place));
    assert_eq!(back.name().as_str(), "Anna");
    assert_ne!(world.join(key(2), name("Ann")), Ok(ann), "a key is no name");
}

#[test]
fn a_full_world_takes_nobody_but_those_who_are_in_it() {
    let mut world = World::new(4, LIMITS);
    for number in 1..=3 {
        world.join(key(number), name("x")).unwrap();
    }
    assert_eq!(world.join(key(4), name("x")), Err(Full { most: 3 }));
    assert!(world.join(key(2), name("x")).is_ok());
}

#[test]
fn of_more_players_than_it_remembers_the_first_to_have_left_is_forgotten() {
    let mut world = World::new(5, LIMITS);
    let mut numbers = Vec::new();
    for number in 1..=4 {
        numbers.push(world.join(key(number), name("x")).unwrap());
        world.step(STEP);
        if number != 1 {
            world.leave(numbers[usize::from(number) - 1]);
        }
    }
    world.join(key(5), name("x")).unwrap();
    let kept: Vec<_> = world.players().map(|(number, _)| number).collect();
    assert!(kept.contains(&numbers[0]), "who is here is not forgotten");
    assert!(!kept.contains(&numbers[1]));
    assert_eq!(kept.len(), 4);
}

#[test]
fn a_world_that_was_kept_goes_on_as_it_would_have() {
    let mut world = World::new(6, LIMITS);
    let ann = world.join(key(1), name("Ann")).unwrap();
    for _ in 0..300 {
        seek(&mut world, ann);
        world.step(STEP);
    }
    world.leave(ann);
    let bytes = world.snapshot().to_bytes();
    let mut restored = World::restore(Snapshot::parse(&bytes).unwrap(), LIMITS).unwrap();
    assert_eq!(restored.revision(), world.revision());
    assert_eq!(restored.present().count(), 0);
    for world in [&mut world, &mut restored] {
        assert_eq!(world.join(key(1), name("Ann")), Ok(ann));
        for _ in 0..300 {
            seek(world, ann);
            world.step(STEP);
        }
    }
    assert_eq!(restored.snapshot(), world.snapshot());
}

#[test]
fn what_is_no_world_is_refused_with_a_reason() {
    let mut world = World::new(6, LIMITS);
    world.join(key(1), name("Ann")).unwrap();
    let sound: serde_json::Value = serde_json::from_slice(&world.snapshot().to_bytes()).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut kept = sound.clone();
        change(&mut kept);
        let bytes = serde_json::to_vec(&kept).unwrap();
        let restored = Snapshot::parse(&bytes).and_then(|kept| World::restore(kept, LIMITS));
        restored.err().map(|error| error.to_string())
    };
    assert_eq!(refused(&|_| {}), None);
    let reasons = [
        refused(&|kept| kept["version"] = 2.into()),
        refused(&|kept| kept["players"][0]["x"] = 1e9.into()),
        refused(&|kept| kept["players"][0]["key"] = "no".into()),
        refused(&|kept| kept["players"][0]["name"] = "".into()),
        refused(&|kept| kept["players"][0]["number"] = 9.into()),
        refused(&|kept| kept["things"][0]["number"] = 900.into()),
        refused(&|kept| kept["tick"] = (-1).into()),
    ];
    for (place, reason) in reasons.iter().enumerate() {
        assert!(reason.is_some(), "change {place} was taken");
    }
    assert!(Snapshot::parse(b"{").is_err());
}
