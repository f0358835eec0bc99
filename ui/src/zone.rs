//! The time zone in which moments are told: this computer's, or the one of logs.

use flotilla_protocol::Timestamp;
use js_sys::{Array, Date, Function, Intl::DateTimeFormat, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// A person's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeZone {
    /// The one of the computer on which the page is open.
    Local,
    Utc,
}

/// Tells moments in the chosen zone.
#[derive(Debug, Clone, Copy)]
pub struct Zone {
    choice: RwSignal<TimeZone>,
    /// Formats of a moment in the local zone and in UTC. Making one takes as long as a hundred uses of it.
    local: StoredValue<Function, LocalStorage>,
    utc: StoredValue<Function, LocalStorage>,
}

impl Zone {
    /// Provides the zone of this choice to the components below.
    pub fn provide(choice: RwSignal<TimeZone>) {
        provide_context(Self {
            choice,
            local: StoredValue::new_local(teller(None)),
            utc: StoredValue::new_local(teller(Some("UTC"))),
        });
    }

    fn tell(self, moment: Timestamp) -> String {
        let teller = match self.choice.get() {
            TimeZone::Local => self.local,
            TimeZone::Utc => self.utc,
        };
        teller.with_value(|teller| told(teller, moment))
    }
}

/// A moment as `2026-01-31 14:02:09` in the zone that the components around provide, or in this computer's.
#[must_use]
pub fn tell(moment: Timestamp) -> String {
    use_context::<Zone>().map_or_else(|| told(&teller(None), moment), |zone| zone.tell(moment))
}

fn teller(zone: Option<&str>) -> Function {
    let options = Object::new();
    let zone = zone.map_or(JsValue::UNDEFINED, JsValue::from);
    for (name, value) in [
        ("dateStyle", "short".into()),
        ("timeStyle", "medium".into()),
        ("timeZone", zone),
    ] {
        Reflect::set(&options, &name.into(), &value).ok();
    }
    // Swedish is the language in which a short date is the one of ISO 8601, whatever the browser speaks.
    DateTimeFormat::new(&Array::of1(&"sv-SE".into()), &options).format()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds fit a double")]
fn told(teller: &Function, moment: Timestamp) -> String {
    let date = Date::new(&(moment.as_millisecond() as f64).into());
    let text = teller.call1(&JsValue::UNDEFINED, &date).ok();
    text.and_then(|text| text.as_string()).unwrap_or_default()
}
