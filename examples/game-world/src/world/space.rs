//! Where things are, and where players head. Lengths are units; the page draws a unit as large as it
//! has room.

use super::random::Random;

/// The width of every world, in units.
pub(crate) const WIDTH: f64 = 1600.0;

/// The height of every world, in units.
pub(crate) const HEIGHT: f64 = 900.0;

/// How far everything stays from the edge, in units.
pub(super) const EDGE: f64 = 24.0;

/// The parts of a unit that are told apart. Places are whole numbers of these, so that they are exactly
/// the same after they were written in decimal digits and read again.
const GRID: f64 = 1024.0;

/// A point of the world, in units from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Place {
    /// Anywhere but at the edge.
    pub(super) fn draw(random: &mut Random) -> Self {
        let along = |length: f64, fraction: f64| EDGE + fraction * (length - 2.0 * EDGE);
        Self {
            x: on_grid(along(WIDTH, random.fraction())),
            y: on_grid(along(HEIGHT, random.fraction())),
        }
    }

    /// Whether it can be in a world.
    pub(super) fn is_inside(self) -> bool {
        (EDGE..=WIDTH - EDGE).contains(&self.x) && (EDGE..=HEIGHT - EDGE).contains(&self.y)
    }
}

/// The nearest length that places have.
pub(super) fn on_grid(length: f64) -> f64 {
    (length * GRID).round() / GRID
}

/// Whether two places are closer than `reach`.
pub(super) fn touches(one: Place, other: Place, reach: f64) -> bool {
    (one.x - other.x).hypot(one.y - other.y) < reach
}

/// Where a player heads: a direction and a share of the highest speed, at most 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Heading {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Heading {
    /// A heading of these components, to the right and downwards; longer than 1 it is cut to 1.
    /// `None` when they are no numbers.
    pub(crate) fn new(x: f64, y: f64) -> Option<Self> {
        if !x.is_finite() || !y.is_finite() {
            return None;
        }
        let (x, y) = (x.clamp(-1.0, 1.0), y.clamp(-1.0, 1.0));
        let length = x.hypot(y).max(1.0);
        Some(Self {
            x: x / length,
            y: y / length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_heading_is_longer_than_one() {
        for (x, y) in [(1.0, 1.0), (-5.0, 0.0), (1e300, -1e300), (0.1, 0.2)] {
            let heading = Heading::new(x, y).unwrap();
            assert!(heading.x.hypot(heading.y) <= 1.0 + 1e-9, "{heading:?}");
        }
        assert_eq!(Heading::new(0.0, 0.5), Some(Heading { x: 0.0, y: 0.5 }));
        assert_eq!(Heading::new(f64::NAN, 0.0), None);
        assert_eq!(Heading::new(0.0, f64::INFINITY), None);
    }
}
