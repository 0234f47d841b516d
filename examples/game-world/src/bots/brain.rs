//! Where a bot heads: for the nearest thing. Pure.

/// What a bot sees of a thing: its number, where it is, and what it is worth.
pub(super) type SeenThing = (u64, f64, f64, u32);

/// The direction from a place to the nearest thing; none when there is none.
pub(super) fn heading(x: f64, y: f64, things: &[SeenThing]) -> (f64, f64) {
    let ways = things.iter().map(|(_, tx, ty, _)| (tx - x, ty - y));
    let nearest = ways.min_by(|one, other| one.0.hypot(one.1).total_cmp(&other.0.hypot(other.1)));
    let (x, y) = nearest.unwrap_or((0.0, 0.0));
    let length = x.hypot(y).max(1.0);
    (x / length, y / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_heads_for_the_nearest_thing() {
        let things = [(1, 0.0, 0.0, 1), (2, 100.0, 50.0, 5)];
        assert_eq!(heading(100.0, 40.0, &things), (0.0, 1.0));
        assert_eq!(heading(5.0, 0.0, &things), (-1.0, 0.0));
        assert_eq!(heading(5.0, 0.0, &[]), (0.0, 0.0));
    }
}
