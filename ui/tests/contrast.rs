//! The contrast of the colors in the style sheet, by the formula of WCAG 2.

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("../style/tokens.css");

/// The background colors.
const SURFACES: [&str; 6] = ["bg", "surface", "raised", "inset", "hover", "selected"];

/// The lowest ratio that each text color must keep on every surface, light and dark.
const ON_SURFACES: [(&str, f64, f64); 12] = [
    ("text", 14.2, 11.2),
    ("muted", 5.8, 6.4),
    ("faint", 4.9, 5.0),
    ("accent", 5.0, 5.6),
    ("accent-hover", 6.7, 7.0),
    ("control", 3.3, 3.8),
    // Inside a table a status has no background of its own.
    ("ok", 5.3, 5.3),
    ("warn", 5.3, 5.3),
    ("bad", 5.3, 5.3),
    ("info", 5.3, 5.3),
    ("off", 5.3, 5.3),
    ("relay", 5.3, 5.3),
];

/// Pairs that are only used together: foreground, background, lowest ratio light and dark.
const PAIRS: [(&str, &str, f64, f64); 13] = [
    ("on-accent", "accent", 6.0, 8.1),
    ("on-accent", "accent-hover", 6.0, 8.1),
    ("on-danger", "danger", 6.5, 8.0),
    ("on-danger", "danger-hover", 6.5, 8.0),
    ("on-mark", "mark", 13.4, 10.5),
    ("ok", "ok-bg", 5.7, 7.8),
    ("warn", "warn-bg", 6.0, 8.5),
    ("bad", "bad-bg", 5.5, 7.0),
    ("info", "info-bg", 5.6, 7.6),
    ("off", "off-bg", 5.9, 7.0),
    ("relay", "relay-bg", 6.1, 7.5),
    // Words inside a colored notice are text, not status.
    ("text", "warn-bg", 4.5, 4.5),
    ("on-terminal", "terminal", 15.1, 15.1),
];

/// The lines of a chart are drawn on this surface, and have to be told from it and read as words of the legend.
const CHART: (&str, usize, f64, f64) = ("surface", 8, 4.9, 7.4);

/// Light and dark value of each color.
type Colors = BTreeMap<&'static str, [Rgb; 2]>;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Rgb([u8; 3]);

impl Rgb {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// Relative luminance, 0 to 1.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

fn colors() -> Colors {
    let declarations = TOKENS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": light-dark("));
    declarations
        .filter_map(|(name, values)| {
            let (light, dark) = values.trim_end_matches(");").split_once(',')?;
            Some((name, [Rgb::parse(light)?, Rgb::parse(dark)?]))
        })
        .collect()
}

/// The contrast ratios that are too low, as messages.
fn shortfall(colors: &Colors, ink: &str, ground: &str, wanted: [f64; 2]) -> Vec<String> {
    let themes = ["light", "dark"].into_iter().enumerate();
    themes
        .filter_map(|(theme, name)| {
            let ratio = colors[ink][theme].contrast(colors[ground][theme]);
            // The table is written to one digit.
            (ratio + 0.05 < wanted[theme]).then(|| {
                format!(
                    "{name}: --{ink} on --{ground} is {ratio:.2}, wanted {}",
                    wanted[theme]
                )
            })
        })
        .collect()
}

#[test]
fn black_on_white_is_21_and_the_sheet_is_understood() {
    let [black, white] = ["#000000", "#FFFFFF"].map(|text| Rgb::parse(text).unwrap());
    assert!((black.contrast(white) - 21.0).abs() < 0.01);
    let colors = colors();
    assert_eq!(colors["surface"], [white, Rgb([0x13, 0x1C, 0x26])]);
    assert!(colors.len() >= 30, "{}", colors.len());
}

#[test]
fn text_and_controls_are_readable_on_every_surface() {
    let colors = colors();
    let short: Vec<_> = ON_SURFACES
        .iter()
        .flat_map(|(ink, light, dark)| {
            SURFACES.map(|ground| shortfall(&colors, ink, ground, [*light, *dark]))
        })
        .flatten()
        .collect();
    assert!(short.is_empty(), "{}", short.join("\n"));
}

#[test]
fn pairs_are_readable() {
    let colors = colors();
    let short: Vec<_> = PAIRS
        .iter()
        .flat_map(|(ink, ground, light, dark)| shortfall(&colors, ink, ground, [*light, *dark]))
        .collect();
    assert!(short.is_empty(), "{}", short.join("\n"));
}

#[test]
fn the_lines_of_a_chart_are_seen_on_its_surface() {
    let colors = colors();
    let (ground, lines, light, dark) = CHART;
    let line = |line| shortfall(&colors, &format!("chart-{line}"), ground, [light, dark]);
    let short: Vec<_> = (1..=lines).flat_map(line).collect();
    assert!(short.is_empty(), "{}", short.join("\n"));
}
