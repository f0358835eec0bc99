//! A person's choices about appearance and keys, kept in this browser.

use crate::{browser, zone::TimeZone};
use leptos::prelude::*;

/// The color theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    System,
    Light,
    Dark,
}

/// The height of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    Compact,
    Comfortable,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),*) => {
        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == word)
            }
        }
    };
}
words!(Theme: System = "system", Light = "light", Dark = "dark");
words!(Density: Compact = "compact", Comfortable = "comfortable");
words!(TimeZone: Local = "local", Utc = "utc");

/// The choices, as signals that the page follows.
#[derive(Debug, Clone, Copy)]
pub struct Prefs {
    pub theme: RwSignal<Theme>,
    pub density: RwSignal<Density>,
    pub time_zone: RwSignal<TimeZone>,
    /// Animations are off, even where the system does not ask for reduced motion.
    pub reduce_motion: RwSignal<bool>,
    /// Single keys without a modifier are shortcuts.
    pub single_keys: RwSignal<bool>,
}

impl Prefs {
    /// Reads the stored choices and provides them; a later change is stored and set on the page's root element.
    pub fn provide() -> Self {
        let word = |key: &str| browser::remembered(key).unwrap_or_default();
        let prefs = Self {
            theme: RwSignal::new(Theme::from_word(&word(THEME)).unwrap_or(Theme::System)),
            density: RwSignal::new(Density::from_word(&word(DENSITY)).unwrap_or(Density::Compact)),
            time_zone: RwSignal::new(TimeZone::from_word(&word(TIME_ZONE)).unwrap_or(TimeZone::Local)),
            reduce_motion: RwSignal::new(word(REDUCE_MOTION) == "true"),
            single_keys: RwSignal::new(word(SINGLE_KEYS) != "false"),
        };
        provide_context(prefs);
        Effect::new(move |_| {
            let theme = prefs.theme.get();
            browser::remember(THEME, theme.as_str());
            browser::set_root_attribute("data-theme", theme.as_str());
        });
        Effect::new(move |_| {
            let density = prefs.density.get();
            browser::remember(DENSITY, density.as_str());
            browser::set_root_attribute("data-density", density.as_str());
        });
        Effect::new(move |_| {
            let reduce_motion = prefs.reduce_motion.get().to_string();
            browser::remember(REDUCE_MOTION, &reduce_motion);
            browser::set_root_attribute("data-still", &reduce_motion);
        });
        Effect::new(move |_| browser::remember(TIME_ZONE, prefs.time_zone.get().as_str()));
        Effect::new(move |_| browser::remember(SINGLE_KEYS, &prefs.single_keys.get().to_string()));
        prefs
    }
}

#[must_use]
pub fn use_prefs() -> Prefs {
    expect_context()
}

const THEME: &str = "theme";
const DENSITY: &str = "density";
const TIME_ZONE: &str = "time-zone";
const REDUCE_MOTION: &str = "still";
const SINGLE_KEYS: &str = "single-keys";
