//! The places of devices on the map. They depend only on first tags and names, so that they are the same at every
//! visit.
//!
//! Groups fill columns from the top. Relays have a column of their own in the middle. All measures are rem.

/// The size of a device on the map.
pub(super) const WIDTH: f64 = 9.5;
pub(super) const HEIGHT: f64 = 2.5;

const BETWEEN_COLUMNS: f64 = 5.0;
const BETWEEN_ROWS: f64 = 1.25;
const ROW: f64 = HEIGHT + BETWEEN_ROWS;
const LABEL: f64 = 1.75;
const EDGE: f64 = 1.0;
/// The distance between a label and its line, and between a label and its device.
const ABOVE_LINE: f64 = 0.35;
const BESIDE: f64 = 0.5;
/// With fewer columns, lines would be behind labels.
const LEAST_COLUMNS: usize = 2;

/// The upper left corner of a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Corner {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// What the place of a device depends on: its group, of which the untagged one comes last, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) untagged: bool,
    pub(super) group: String,
    pub(super) name: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    /// The corners of the devices, in the order of the given spots.
    pub(super) places: Vec<Corner>,
    pub(super) labels: Vec<(String, Corner)>,
    pub(super) relays: Vec<Corner>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The places of sorted spots and of this many relays.
#[expect(clippy::cast_precision_loss, reason = "a map has few columns")]
pub(super) fn plan(spots: &[Spot], relays: usize) -> Plan {
    let columns = columns(spots);
    let middle = columns.len().div_ceil(2);
    let left = |column: usize| EDGE + column as f64 * (WIDTH + BETWEEN_COLUMNS);
    let mut plan = Plan::default();
    for (index, column) in columns.iter().enumerate() {
        let x = left(if relays > 0 && index >= middle {
            index + 1
        } else {
            index
        });
        let mut y = EDGE;
        for spot in column.clone() {
            let group = &spots[spot].group;
            if spot == column.start || spots[spot - 1].group != *group {
                plan.labels.push((group.clone(), Corner { x, y }));
                y += LABEL;
            }
            plan.places.push(Corner { x, y });
            y += ROW;
        }
        plan.height = plan.height.max(y);
    }
    let shown = columns.len() + usize::from(relays > 0);
    plan.width = left(shown) - BETWEEN_COLUMNS + EDGE;
    let top = relays_top(plan.height, relays as f64);
    plan.height = plan.height.max(top + relays as f64 * ROW);
    plan.relays = (0..relays)
        .map(|n| Corner {
            x: left(middle),
            y: top + n as f64 * ROW,
        })
        .collect();
    plan
}

/// The top of the first relay. Relays are between two rows of devices, whose lines cross their column, and in the
/// middle of the height.
fn relays_top(height: f64, relays: f64) -> f64 {
    let first = EDGE + LABEL + ROW / 2.0;
    let free = (height - first - relays * ROW).max(0.0);
    first + (free / 2.0 / ROW).floor() * ROW
}

/// The spots of each column, as ranges of their indices.
fn columns(spots: &[Spot]) -> Vec<std::ops::Range<usize>> {
    let wanted = spots.len().isqrt().max(LEAST_COLUMNS);
    let each = spots.len().div_ceil(wanted).max(1);
    (0..spots.len())
        .step_by(each)
        .map(|start| start..(start + each).min(spots.len()))
        .collect()
}

/// The anchor of the label of a line at its end `to`, in the free room beside the device: x, y, and the value of
/// `text-anchor`.
pub(super) fn label_anchor(from: Corner, to: Corner) -> (f64, f64, &'static str) {
    let y = to.y + HEIGHT / 2.0 - ABOVE_LINE;
    if from.x < to.x - 0.5 {
        (to.x - BESIDE, y, "end")
    } else {
        (to.x + WIDTH + BESIDE, y, "start")
    }
}

/// A line between two boxes as an SVG path, and its middle.
pub(super) fn line(from: Corner, to: Corner) -> (String, Corner) {
    let (from, to) = if from.x <= to.x { (from, to) } else { (to, from) };
    let (from_y, to_y) = (from.y + HEIGHT / 2.0, to.y + HEIGHT / 2.0);
    let start = from.x + WIDTH;
    let same_column = (from.x - to.x).abs() < 0.5;
    let (end, bend) = if same_column {
        (start, start + BETWEEN_COLUMNS / 2.0)
    } else {
        (to.x, f64::midpoint(start, to.x))
    };
    let path = format!("M{start} {from_y}C{bend} {from_y} {bend} {to_y} {end} {to_y}");
    // The point of a cubic curve at its half: an eighth of each end and three eighths of each control point.
    let x = (start + end + 6.0 * bend) / 8.0;
    (
        path,
        Corner {
            x,
            y: f64::midpoint(from_y, to_y),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spots(groups: &[usize]) -> Vec<Spot> {
        let spot = |group: usize, number: usize| Spot {
            untagged: false,
            group: format!("g{group:02}"),
            name: format!("d{number:03}"),
        };
        let mut spots: Vec<_> = groups
            .iter()
            .enumerate()
            .flat_map(|(group, size)| (0..*size).map(move |number| spot(group, number)))
            .collect();
        spots.sort();
        spots
    }

    #[test]
    fn two_groups_stand_beside_each_other_with_the_relay_between_them() {
        let plan = plan(&spots(&[2, 2]), 1);
        assert_eq!(plan.labels.len(), 2);
        assert!(plan.places[0].x < plan.relays[0].x && plan.relays[0].x < plan.places[2].x);
        assert_eq!(plan.places[0].y, plan.places[2].y);
        let line = plan.places[0].y + HEIGHT / 2.0;
        assert!(
            plan.relays[0].y > line + BESIDE,
            "the line between the first two passes above it"
        );
    }

    #[test]
    fn lines_begin_and_end_at_edges() {
        let (across, middle) = line(Corner { x: 20.0, y: 0.0 }, Corner { x: 0.0, y: 10.0 });
        assert_eq!(across, "M9.5 11.25C14.75 11.25 14.75 1.25 20 1.25");
        assert_eq!((middle.x, middle.y), (14.75, 6.25));
        let (beside, _) = line(Corner { x: 0.0, y: 0.0 }, Corner { x: 0.0, y: 10.0 });
        assert_eq!(beside, "M9.5 1.25C12 1.25 12 11.25 9.5 11.25");
    }

    proptest! {
        #[test]
        fn nothing_overlaps_and_all_of_it_is_inside(
            groups in proptest::collection::vec(1usize..9, 0..9), relays in 0usize..5,
        ) {
            let spots = spots(&groups);
            let plan = plan(&spots, relays);
            prop_assert_eq!(plan.places.len(), spots.len());
            let all: Vec<Corner> = plan.places.iter().chain(&plan.relays).copied().collect();
            for (index, one) in all.iter().enumerate() {
                prop_assert!(one.x >= 0.0 && one.y >= 0.0);
                prop_assert!(one.x + WIDTH <= plan.width && one.y + HEIGHT <= plan.height, "{:?} in {:?}", one, plan);
                for other in &all[index + 1..] {
                    let apart = (one.x - other.x).abs() >= WIDTH || (one.y - other.y).abs() >= HEIGHT;
                    prop_assert!(apart, "{:?} {:?}", one, other);
                }
            }
        }
    }
}
